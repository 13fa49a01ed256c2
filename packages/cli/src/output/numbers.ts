/** Bytes in the unit that suits them. */
export const formatBytes = (bytes: number): string => {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1000;
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit] ?? ""}`;
};

/** A whole number with separators. */
export const formatCount = (count: number): string => Math.round(count).toLocaleString("en-US");

/** Seconds as `12 s` or `3 min 05 s`. */
export const formatSeconds = (seconds: number): string => {
  const whole = Math.round(seconds);
  return whole < 100 ? `${whole} s` : `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
};

/** A metric with four digits; what is no number says so. */
export const formatMetric = (value: number | null | undefined): string =>
  value === null || value === undefined || !Number.isFinite(value) ? "–" : value.toFixed(4);
