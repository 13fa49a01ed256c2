import { z } from "zod";
import type { EmitContext, LayerKind, LayerPlace, SampleShape, WeightSpec } from "./layer.ts";
import { splitWeightArguments, withWeightArguments } from "./weight-arguments.ts";
import type { WeightArguments } from "./weight-arguments.ts";

/** Finds a kind of layer by its Keras name. */
export type FindKind = (layer: string) => LayerKind | undefined;

/** A layer inside another one, its arguments validated. */
export interface WrappedLayer {
  readonly kind: LayerKind;
  readonly args: unknown;
  readonly weightArguments: WeightArguments;
}

/** Accepts a layer inside another one, as `{layer, …arguments}`. */
export const wrappedSchema = (find: FindKind, accepted?: readonly string[]): z.ZodType<WrappedLayer> =>
  z.looseObject({ layer: z.string() }).transform((spec, context): WrappedLayer => {
    const { layer, name: _name, ...given } = spec as Record<string, unknown> & { readonly layer: string };
    const kind = accepted === undefined || accepted.includes(layer) ? find(layer) : undefined;
    if (kind === undefined) {
      const known = accepted === undefined ? "" : `; it takes ${accepted.join(", ")}`;
      context.addIssue({ code: "custom", message: `the layer ${JSON.stringify(layer)} cannot stand here${known}` });
      return z.NEVER;
    }
    const { weights, rest } = splitWeightArguments(given, { layer, name: layer });
    const parsed = kind.arguments.safeParse(rest);
    if (parsed.success) return { kind, args: parsed.data, weightArguments: weights };
    for (const { message, path } of parsed.error.issues) context.addIssue({ code: "custom", message, path: [...path] });
    return z.NEVER;
  });

/** A wrapped layer's weights, named behind a prefix. */
export const wrappedWeights = (
  { kind, args, weightArguments }: WrappedLayer,
  inputs: readonly SampleShape[],
  prefix: string,
): readonly WeightSpec[] => {
  const place: LayerPlace = { layer: kind.layer, name: prefix === "" ? kind.layer : prefix };
  return withWeightArguments(kind.weights(args, inputs), weightArguments, place).map((weight) => ({
    ...weight,
    name: `${prefix}${weight.name}`,
  }));
};

/** What a wrapped layer may ask for: its weights stand behind the prefix. */
export const wrappedContext = (context: EmitContext, prefix: string): EmitContext => ({
  ...context,
  weight: (name, storage) => context.weight(`${prefix}${name}`, storage),
  update: (name, value) => context.update(`${prefix}${name}`, value),
  updated: (name) => context.updated(`${prefix}${name}`),
});
