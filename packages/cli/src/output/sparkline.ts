const bars = "▁▂▃▄▅▆▇█";

/** Lowest and highest value of a line. */
export type SparklineRange = readonly [low: number, high: number];

const rangeOf = (values: readonly number[]): SparklineRange => [Math.min(...values), Math.max(...values)];

/** A curve as one line of block characters; the newest values, fitted between the smallest and the largest of them, or into a given range. */
export const sparkline = (values: readonly number[], width: number, range?: SparklineRange): string => {
  const finite = values.filter((value) => Number.isFinite(value)).slice(-Math.max(width, 1));
  if (finite.length === 0) return "";
  const [low, high] = range ?? rangeOf(finite);
  const scale = high === low ? 0 : (bars.length - 1) / (high - low);
  return finite.map((value) => bars.charAt(Math.round((value - low) * scale))).join("");
};
