import { z } from "zod";
import { LearnError } from "../../errors.ts";
import type { Initializer } from "../../initializers/index.ts";
import type { Value } from "../../onnx/graph.ts";
import { elementCount } from "../../onnx/tensor.ts";
import { initializerSchema, lengthSchema } from "../arguments.ts";
import { defineLayer } from "../layer.ts";
import type { EmitContext, LayerKind, LayerPlace, LayerValue, SampleShape, WeightSpec } from "../layer.ts";
import { plain } from "../layout.ts";
import { maskOf, shares, visible } from "./weighing.ts";

const schema = z.strictObject({
  numHeads: lengthSchema,
  keyDim: lengthSchema,
  valueDim: lengthSchema.optional(),
  outputShape: z.union([lengthSchema, z.array(lengthSchema).length(1)]).optional(),
  dropout: z.number().min(0).lt(1).default(0),
  useBias: z.boolean().default(true),
  useCausalMask: z.boolean().default(false),
  returnAttentionScores: z.boolean().default(false),
  kernelInitializer: initializerSchema.default("glorot_uniform"),
  biasInitializer: initializerSchema.default("zeros"),
});
type Arguments = z.output<typeof schema>;

type Part = "query" | "key" | "value" | "attention_output";

/** Query, value and key; the value stands for a key left out, and the query for both. */
const partsOf = <Item>(inputs: readonly Item[]): { query: Item; value: Item; key: Item } => {
  const [query, value = query, key = value] = inputs;
  return { query, value, key } as { query: Item; value: Item; key: Item };
};

const outputLength = ({ outputShape }: Arguments, query: SampleShape): number => {
  const given = typeof outputShape === "number" ? outputShape : outputShape?.[0];
  return given ?? query[1] ?? 1;
};

/** Shapes of a part's kernel and bias, as Keras has them. */
const shapesOf = (args: Arguments, part: Part, inputs: readonly SampleShape[]): readonly (readonly number[])[] => {
  const { query, value, key } = partsOf(inputs);
  const { numHeads, keyDim } = args;
  const valueDim = args.valueDim ?? keyDim;
  const output = outputLength(args, query);
  switch (part) {
    case "query":
      return [
        [query[1] ?? 1, numHeads, keyDim],
        [numHeads, keyDim],
      ];
    case "key":
      return [
        [key[1] ?? 1, numHeads, keyDim],
        [numHeads, keyDim],
      ];
    case "value":
      return [
        [value[1] ?? 1, numHeads, valueDim],
        [numHeads, valueDim],
      ];
    case "attention_output":
      return [[numHeads, valueDim, output], [output]];
  }
};

const weightsOf = (args: Arguments, inputs: readonly SampleShape[]): readonly WeightSpec[] =>
  (["query", "key", "value", "attention_output"] as const).flatMap((part) => {
    const [kernel = [], bias = []] = shapesOf(args, part, inputs);
    const spec = (name: string, shape: readonly number[], initializer: Initializer): WeightSpec => ({
      name: `${part}/${name}`,
      shape,
      initializer,
      trainable: true,
    });
    return [
      spec("kernel", kernel, args.kernelInitializer),
      ...(args.useBias ? [spec("bias", bias, args.biasInitializer)] : []),
    ];
  });

const check = (args: Arguments, inputs: readonly SampleShape[], place: LayerPlace): void => {
  const { query, value, key } = partsOf(inputs);
  const sequences = [query, value, key].every((shape) => shape?.length === 2);
  const mask = inputs[3];
  const masked = mask === undefined || mask.join() === [query?.[0], value?.[0]].join();
  if (inputs.length <= 4 && sequences && value[0] === key[0] && masked) return;
  throw new LearnError(
    "shape-mismatch",
    `${place.layer} "${place.name}" takes a query [queries, features], a value and a key [keys, features], and a mask [queries, keys], but its inputs have shapes ${inputs.map((shape) => `[${shape.join(", ")}]`).join(", ")}.`,
  );
};

interface Attending {
  readonly context: EmitContext;
  readonly args: Arguments;
  readonly shapes: readonly SampleShape[];
}

/** x · kernel + bias with heads and lengths in one axis. */
const projected = ({ context, args, shapes }: Attending, part: Part, x: Value): Value => {
  const { builder } = context;
  const [kernel = [], bias = []] = shapesOf(args, part, shapes);
  const rows = part === "attention_output" ? elementCount(kernel.slice(0, 2)) : (kernel[0] ?? 1);
  const flat = (name: string, shape: readonly number[], stored: readonly number[]): Value =>
    context.weight(`${part}/${name}`, { unfolded: shape, order: shape.map((_, axis) => axis), shape: stored });
  const product = builder.apply("MatMul", [x, flat("kernel", kernel, [rows, elementCount(kernel) / rows])]);
  return args.useBias ? builder.apply("Add", [product, flat("bias", bias, [elementCount(bias)])]) : product;
};

/** [batch, steps, heads · length] with the heads in front: [batch, heads, steps, length], or with the steps last. */
const inHeads = (
  { context, args }: Attending,
  x: Value,
  options: { readonly steps: number; readonly stepsLast?: boolean },
): Value => {
  const { builder } = context;
  const length = Number(x.shape[2]) / args.numHeads;
  const apart = builder.apply("Reshape", [x, builder.integers([0, options.steps, args.numHeads, length])]);
  const perm = options.stepsLast === true ? [0, 2, 3, 1] : [0, 2, 1, 3];
  return builder.apply("Transpose", [apart], { attributes: { perm } });
};

const attend = (
  attending: Attending,
  inputs: readonly LayerValue[],
): { readonly result: Value; readonly weights: Value } => {
  const { context, args } = attending;
  const { builder } = context;
  const { query, value, key } = partsOf(inputs);
  const [queries = 1, keys = 1] = [query.shape[0], value.shape[0]];
  const scaled = builder.apply("Mul", [
    projected(attending, "query", query.value),
    builder.scalarLike(query.value, 1 / Math.sqrt(args.keyDim)),
  ]);
  const scores = builder.apply("MatMul", [
    inHeads(attending, scaled, { steps: queries }),
    inHeads(attending, projected(attending, "key", key.value), { steps: keys, stepsLast: true }),
  ]);
  const mask = visible(context, {
    query: query.mask,
    value: value.mask,
    key: key.mask,
    given: inputs[3]?.value,
    causal: args.useCausalMask,
    queries,
    keys,
  });
  const forHeads = mask && builder.apply("Unsqueeze", [mask, builder.integers([1])]);
  const weights = shares(context, scores, { mask: forHeads, dropout: args.dropout });
  const seen = builder.apply("MatMul", [
    weights,
    inHeads(attending, projected(attending, "value", value.value), { steps: keys }),
  ]);
  const back = builder.apply("Transpose", [seen], { attributes: { perm: [0, 2, 1, 3] } });
  const length = args.numHeads * (args.valueDim ?? args.keyDim);
  const joined = builder.apply("Reshape", [back, builder.integers([0, queries, length])]);
  return { result: projected(attending, "attention_output", joined), weights };
};

/**
 * Attention with several heads (Vaswani et al. 2017). Inputs are query, value, and optionally key and a mask
 * [queries, keys]; with the query alone it attends to itself. Kernels: `query/kernel` [in, heads, keyDim], likewise `key`
 * and `value`, `attention_output/kernel` [heads, valueDim, out].
 * Source: keras/src/layers/attention/multi_head_attention.py.
 */
export const multiHeadAttentionLayer: LayerKind = defineLayer<Arguments>({
  layer: "MultiHeadAttention",
  arguments: schema,
  outputShape: (args, inputs, place) => {
    check(args, inputs, place);
    const [query = []] = inputs;
    return query.with(-1, outputLength(args, query));
  },
  furtherShapes: (args, inputs) => {
    const { query, value } = partsOf(inputs);
    return args.returnAttentionScores ? [[args.numHeads, query[0] ?? 1, value[0] ?? 1]] : [];
  },
  weights: weightsOf,
  emit: (args, inputs, context) => {
    const values = inputs.map((input) => plain(context.builder, input));
    const shapes = values.map(({ shape }) => shape);
    const { result, weights } = attend({ context, args, shapes }, values);
    const { query, value } = partsOf(values);
    const scores: LayerValue = {
      value: weights,
      shape: [args.numHeads, query.shape[0] ?? 1, value.shape[0] ?? 1],
      layout: "plain",
    };
    return {
      value: result,
      shape: query.shape.with(-1, outputLength(args, query.shape)),
      layout: "plain",
      ...maskOf(query),
      ...(args.returnAttentionScores ? { further: [scores] } : {}),
    };
  },
});
