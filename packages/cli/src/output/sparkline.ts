const bars = "▁▂▃▄▅▆▇█";

/** A curve as one line of block characters; the newest values, fitted between the smallest and the largest of them. */
export const sparkline = (values: readonly number[], width: number): string => {
  const finite = values.filter((value) => Number.isFinite(value)).slice(-Math.max(width, 1));
  if (finite.length === 0) return "";
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  const scale = high === low ? 0 : (bars.length - 1) / (high - low);
  return finite.map((value) => bars.charAt(Math.round((value - low) * scale))).join("");
};
