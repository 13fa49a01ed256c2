import type { CommonOptions } from "./config.ts";
import type { ParameterPlace } from "./memory.ts";

/** Weights that lie beside each other and are updated alike. */
export interface Span {
  /** First element in each region. */
  readonly offset: number;
  readonly length: number;
  /** Factor of the learning rate. */
  readonly rateFactor: number;
  readonly decays: boolean;
}

const factorOf = (name: string, factors: NonNullable<CommonOptions["learningRateFactors"]>): number => {
  const matches = Object.keys(factors).filter((start) => name === start || name.startsWith(`${start}/`));
  const longest = matches.reduce((best, start) => (start.length > best.length ? start : best), "");
  return factors[longest] ?? 1;
};

/** Groups weights into as few spans as their options allow: one, when there are none. */
export const spansOf = (
  places: readonly ParameterPlace[],
  regionLength: number,
  options: Pick<CommonOptions, "excludeFromWeightDecay" | "learningRateFactors">,
): readonly Span[] => {
  const { excludeFromWeightDecay: excluded = [], learningRateFactors: factors = {} } = options;
  const spans: Span[] = [];
  for (const [index, { name, offset }] of places.entries()) {
    const rateFactor = factorOf(name, factors);
    const decays = !excluded.some((part) => name.includes(part));
    const end = places[index + 1]?.offset ?? regionLength;
    const last = spans.at(-1);
    if (last !== undefined && last.rateFactor === rateFactor && last.decays === decays) {
      spans[spans.length - 1] = { ...last, length: end - last.offset };
    } else {
      spans.push({ offset, length: end - offset, rateFactor, decays });
    }
  }
  return spans;
};
