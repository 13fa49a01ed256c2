import { tensor } from "../../onnx/tensor.ts";
import type { Value } from "../../onnx/graph.ts";
import type { EmitContext, LayerValue } from "../layer.ts";

/** What decides which keys a query may look at. */
export interface Sight {
  /** The masks of query, value and key [batch, steps]. */
  readonly query: Value | undefined;
  readonly value: Value | undefined;
  readonly key: Value | undefined;
  /** Not zero where a query may look: [batch, queries, keys]. */
  readonly given: Value | undefined;
  /** No query looks at a later key. */
  readonly causal: boolean;
  readonly queries: number;
  readonly keys: number;
}

const lowerTriangle = (context: EmitContext, rows: number, columns: number): Value => {
  const values = Array.from({ length: rows * columns }, (_, at) => (at % columns <= Math.floor(at / columns) ? 1 : 0));
  return context.builder.constant(tensor("bool", [1, rows, columns], values));
};

/** Which keys each query may look at, as bool that broadcasts to [batch, queries, keys]; undefined where all. */
export const visible = (context: EmitContext, sight: Sight): Value | undefined => {
  const { builder } = context;
  const along = (mask: Value, axis: number): Value => builder.apply("Unsqueeze", [mask, builder.integers([axis])]);
  const masks = [
    ...(sight.query === undefined ? [] : [along(sight.query, 2)]),
    ...(sight.value === undefined ? [] : [along(sight.value, 1)]),
    ...(sight.key === undefined || sight.key.name === sight.value?.name ? [] : [along(sight.key, 1)]),
    ...(sight.given === undefined ? [] : [builder.cast(sight.given, "bool")]),
    ...(sight.causal ? [lowerTriangle(context, sight.queries, sight.keys)] : []),
  ];
  const [first, ...rest] = masks;
  return first && rest.reduce((all, mask) => builder.apply("And", [all, mask]), first);
};

/** Shares over the last axis by softmax; what must not be seen gets none, and in training a part is dropped. */
export const shares = (
  context: EmitContext,
  scores: Value,
  options: { readonly mask: Value | undefined; readonly dropout: number },
): Value => {
  const { builder } = context;
  const { mask, dropout } = options;
  const seen = mask === undefined ? scores : builder.apply("Where", [mask, scores, builder.scalarLike(scores, -1e30)]);
  const weights = builder.apply("Softmax", [seen], { attributes: { axis: -1 } });
  if (!context.training || dropout === 0) return weights;
  return builder.apply("Mul", [weights, context.mask(weights.shape, dropout)]);
};

/** The mask of a value as a layer passes it on. */
export const maskOf = (input: LayerValue | undefined): { readonly mask?: Value } =>
  input?.mask === undefined ? {} : { mask: input.mask };
