import { z } from "zod";
import { LearnError } from "../../errors.ts";
import type { Value } from "../../onnx/graph.ts";
import { defineLayer } from "../layer.ts";
import type { EmitContext, LayerKind, LayerPlace, LayerValue, SampleShape, WeightSpec } from "../layer.ts";
import { plain } from "../layout.ts";
import { maskOf, shares, visible } from "./weighing.ts";

const common = {
  useScale: z.boolean().default(false),
  dropout: z.number().min(0).lt(1).default(0),
  useCausalMask: z.boolean().default(false),
} as const;
const schema = z.strictObject({ ...common, scoreMode: z.enum(["dot", "concat"]).default("dot") });
const additiveSchema = z.strictObject({ ...common, useScale: z.boolean().default(true) });

/** Query, value and key; the value stands for a key left out, and the query for both. */
const partsOf = <Item>(inputs: readonly Item[]): { query: Item; value: Item; key: Item } => {
  const [query, value = query, key = value] = inputs;
  return { query, value, key } as { query: Item; value: Item; key: Item };
};

const shapeOf = (inputs: readonly SampleShape[], place: LayerPlace): SampleShape => {
  const { query, value, key } = partsOf(inputs);
  const sequences = [query, value, key].every((shape) => shape?.length === 2);
  if (inputs.length <= 3 && sequences && query[1] === key[1] && value[0] === key[0]) {
    return [query[0] ?? 1, value[1] ?? 1];
  }
  throw new LearnError(
    "shape-mismatch",
    `${place.layer} "${place.name}" takes a query [queries, features], a value [keys, length] and a key [keys, features], but its inputs have shapes ${inputs.map((shape) => `[${shape.join(", ")}]`).join(", ")}.`,
  );
};

interface Parts {
  readonly query: Value;
  readonly key: Value;
}

/** The scores' sums over the features of f(query + key): [batch, queries, keys]. */
const sumScores = (context: EmitContext, { query, key }: Parts, factor: (sum: Value) => Value): Value => {
  const { builder } = context;
  const sum = builder.apply("Add", [
    builder.apply("Unsqueeze", [query, builder.integers([2])]),
    builder.apply("Unsqueeze", [key, builder.integers([1])]),
  ]);
  return builder.apply("ReduceSum", [factor(sum), builder.integers([3])], { attributes: { keepdims: 0 } });
};

const weigh = (
  context: EmitContext,
  inputs: readonly LayerValue[],
  options: {
    readonly scores: (parts: Parts) => Value;
    readonly dropout: number;
    readonly causal: boolean;
  },
): LayerValue => {
  const { builder } = context;
  const { query, value, key } = partsOf(inputs.map((input) => plain(builder, input)));
  const [queries = 1, keys = 1] = [query.shape[0], value.shape[0]];
  const mask = visible(context, {
    query: undefined,
    value: value.mask,
    key: undefined,
    given: undefined,
    causal: options.causal,
    queries,
    keys,
  });
  const scores = options.scores({ query: query.value, key: key.value });
  const weights = shares(context, scores, { mask, dropout: options.dropout });
  const seen = builder.apply("MatMul", [weights, value.value]);
  const counts = query.mask && builder.apply("Unsqueeze", [builder.cast(query.mask, "float32"), builder.integers([2])]);
  return {
    value: counts === undefined ? seen : builder.apply("Mul", [seen, counts]),
    shape: [queries, value.shape[1] ?? 1],
    layout: "plain",
    ...maskOf(query),
  };
};

const scalarWeight = (name: string): WeightSpec => ({ name, shape: [], initializer: "ones", trainable: true });

/**
 * Attention by products, or by sums, of query and key (Luong et al. 2015). Weights `scale` and `concat_score_weight` are
 * single numbers.
 * Source: keras/src/layers/attention/attention.py.
 */
export const attentionLayer: LayerKind = defineLayer({
  layer: "Attention",
  arguments: schema,
  outputShape: (_, inputs, place) => shapeOf(inputs, place),
  weights: ({ useScale, scoreMode }) => [
    ...(useScale ? [scalarWeight("scale")] : []),
    ...(scoreMode === "concat" ? [scalarWeight("concat_score_weight")] : []),
  ],
  emit: ({ useScale, scoreMode, dropout, useCausalMask }, inputs, context) => {
    const { builder } = context;
    const scaled = (x: Value): Value => (useScale ? builder.apply("Mul", [x, context.weight("scale")]) : x);
    const byProducts = ({ query, key }: Parts): Value =>
      scaled(builder.apply("MatMul", [query, builder.apply("Transpose", [key], { attributes: { perm: [0, 2, 1] } })]));
    const bySums = (parts: Parts): Value =>
      builder.apply("Mul", [
        sumScores(context, parts, (sum) => builder.apply("Tanh", [scaled(sum)])),
        context.weight("concat_score_weight"),
      ]);
    return weigh(context, inputs, {
      scores: scoreMode === "dot" ? byProducts : bySums,
      dropout,
      causal: useCausalMask,
    });
  },
});

/**
 * Attention by Σ scale · tanh(query + key) (Bahdanau et al. 2015), scale [features].
 * Source: keras/src/layers/attention/additive_attention.py.
 */
export const additiveAttentionLayer: LayerKind = defineLayer({
  layer: "AdditiveAttention",
  arguments: additiveSchema,
  outputShape: (_, inputs, place) => shapeOf(inputs, place),
  weights: ({ useScale }, inputs) =>
    useScale ? [{ name: "scale", shape: [inputs[0]?.[1] ?? 1], initializer: "glorot_uniform", trainable: true }] : [],
  emit: ({ useScale, dropout, useCausalMask }, inputs, context) => {
    const { builder } = context;
    const factor = (sum: Value): Value => {
      const tanh = builder.apply("Tanh", [sum]);
      return useScale ? builder.apply("Mul", [tanh, context.weight("scale")]) : tanh;
    };
    return weigh(context, inputs, {
      scores: (parts) => sumScores(context, parts, factor),
      dropout,
      causal: useCausalMask,
    });
  },
});
