/** Bounds of a number; `null` is open. Exclusive bounds are not reached themselves. */
export interface NumberRange {
  readonly minimum: number | null;
  readonly maximum: number | null;
  readonly exclusiveMinimum: boolean;
  readonly exclusiveMaximum: boolean;
}

/** No whole number is generated beyond this, so that every one is exact in JSON. */
const largest = 999_999_999_999_999;

const digits = (from: string, to: string): string => (from === to ? `"${from}"` : `[${from}-${to}]`);
const anyDigits = (count: number): string => (count === 0 ? "" : count === 1 ? " [0-9]" : ` [0-9]{${count}}`);

/** Numbers of equal length between two texts of digits. */
const between = (low: string, high: string): string[] => {
  const [first = "", last = ""] = [low[0], high[0]];
  const [lowRest, highRest] = [low.slice(1), high.slice(1)];
  if (lowRest === "") return [digits(first, last)];
  if (first === last) return between(lowRest, highRest).map((rest) => `"${first}" ${rest}`);
  const parts: string[] = [];
  const lowWhole = /^0*$/.test(lowRest);
  const highWhole = /^9*$/.test(highRest);
  if (!lowWhole) {
    parts.push(...between(lowRest, "9".repeat(lowRest.length)).map((rest) => `"${first}" ${rest}`));
  }
  const from = lowWhole ? Number(first) : Number(first) + 1;
  const to = highWhole ? Number(last) : Number(last) - 1;
  if (from <= to) parts.push(`${digits(String(from), String(to))}${anyDigits(lowRest.length)}`);
  if (!highWhole) {
    parts.push(...between("0".repeat(highRest.length), highRest).map((rest) => `"${last}" ${rest}`));
  }
  return parts;
};

/** Whole numbers from `low` to `high`, both not negative, without leading zeros; empty when there are none. */
const wholeNumbers = (low: number, high: number): string[] => {
  const parts: string[] = [];
  for (let from = low; from <= high;) {
    const length = String(from).length;
    const to = Math.min(high, 10 ** length - 1);
    parts.push(...between(String(from), String(to)));
    from = to + 1;
  }
  return parts;
};

const bound = (value: number | null, fallback: number): number =>
  Math.max(-largest, Math.min(largest, value ?? fallback));

/** Alternatives for the whole numbers of a range; `[]` when it holds none. */
export const integerAlternatives = (range: NumberRange): string[] => {
  const given = [bound(range.minimum, -largest), bound(range.maximum, largest)] as const;
  const low = Math.ceil(given[0]) + (range.exclusiveMinimum && Number.isInteger(given[0]) ? 1 : 0);
  const high = Math.floor(given[1]) - (range.exclusiveMaximum && Number.isInteger(given[1]) ? 1 : 0);
  const negative = low < 0 ? wholeNumbers(Math.max(1, -high), -low).map((text) => `"-" ${text}`) : [];
  return [...negative, ...wholeNumbers(Math.max(0, low), high)];
};

const fraction = String.raw`("." [0-9]{1,12})?`;
const positiveFraction = String.raw`"." [0-9]{0,11} [1-9]`;

/** Magnitudes between two bounds: whole parts that leave room for any fraction, and the ends. */
const magnitudes = (
  low: number,
  high: number,
  { lowOpen, highOpen }: { lowOpen: boolean; highOpen: boolean },
): string[] => {
  const start = Math.ceil(low);
  const end = Math.floor(high);
  if (start > end) return [];
  const parts: string[] = [];
  const exact = lowOpen && start === low;
  if (exact && start < end) parts.push(`"${start}" ${positiveFraction}`);
  parts.push(...wholeNumbers(exact ? start + 1 : start, end - 1).map((text) => `(${text}) ${fraction}`));
  const reachesEnd = !(highOpen && end === high) && !(exact && start === end);
  if (reachesEnd) parts.push(`"${end}"`);
  return parts;
};

/** Alternatives for the numbers of a range; whole ends are met exactly, others are rounded inwards. */
export const numberAlternatives = (range: NumberRange): string[] => {
  const [low, high] = [bound(range.minimum, -largest), bound(range.maximum, largest)];
  const { exclusiveMinimum: lowOpen, exclusiveMaximum: highOpen } = range;
  const positive = high < 0 ? [] : magnitudes(Math.max(0, low), high, { lowOpen: lowOpen && low >= 0, highOpen });
  if (low >= 0) return positive;
  const negative = magnitudes(Math.max(0, -high), -low, { lowOpen: highOpen && high <= 0, highOpen: lowOpen });
  return [...positive, ...negative.map((text) => `"-" ${text}`)];
};
