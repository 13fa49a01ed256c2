import { z } from "zod";
import { LearnError } from "../errors.ts";
import type { GraphBuilder } from "../onnx/builder.ts";
import type { Value } from "../onnx/graph.ts";
import { elementCount } from "../onnx/tensor.ts";
import { initializerSchema } from "./arguments.ts";
import { defineLayer, only, sampleAxis } from "./layer.ts";
import type { EmitContext, LayerKind, SampleShape, WeightSpec } from "./layer.ts";
import { plain, reshapeSamples } from "./layout.ts";

const axes = z.union([z.int(), z.array(z.int()).min(1)]);

/** The axes of a sample that are normalised, in ascending order. */
const axesOf = (given: z.output<typeof axes>, shape: SampleShape, layer: string): number[] =>
  (typeof given === "number" ? [given] : given)
    .map((axis) => sampleAxis(axis, shape, { layer, name: "" }))
    .toSorted((one, other) => one - other);

const mean = (builder: GraphBuilder, x: Value, over: readonly number[]): Value =>
  builder.apply("ReduceMean", [x, builder.integers(over)]);

/** 1 / √(variance + ε), and what is left of x without its mean. */
const standardised = (
  builder: GraphBuilder,
  x: Value,
  options: { readonly over: readonly number[]; readonly epsilon: number },
): { readonly centred: Value; readonly inverse: Value } => {
  const centred = builder.apply("Sub", [x, mean(builder, x, options.over)]);
  const variance = mean(builder, builder.apply("Mul", [centred, centred]), options.over);
  const shifted = builder.apply("Add", [variance, builder.scalarLike(variance, options.epsilon)]);
  return { centred, inverse: builder.apply("Reciprocal", [builder.apply("Sqrt", [shifted])]) };
};

/** Gives a weight over some axes the rank of its input, so that it broadcasts. */
const spread = (
  builder: GraphBuilder,
  weight: Value,
  place: { readonly over: readonly number[]; readonly shape: SampleShape },
): Value => {
  const { over, shape } = place;
  const trailing = over.every((axis, index) => axis === shape.length - over.length + index);
  if (trailing) return weight;
  const row = [1, ...shape.map((length, axis) => (over.includes(axis) ? length : 1))];
  return builder.apply("Reshape", [weight, builder.integers(row)]);
};

const affine = (args: Affine, shape: SampleShape): readonly WeightSpec[] => [
  ...(args.scale ? [{ name: "gamma", shape, initializer: args.gammaInitializer, trainable: true }] : []),
  ...(args.center ? [{ name: "beta", shape, initializer: args.betaInitializer, trainable: true }] : []),
];

const affineArguments = {
  epsilon: z.number().positive().default(1e-3),
  center: z.boolean().default(true),
  scale: z.boolean().default(true),
  betaInitializer: initializerSchema.default("zeros"),
  gammaInitializer: initializerSchema.default("ones"),
} as const;

const layerSchema = z.strictObject({
  axis: axes.default(-1),
  rmsScaling: z.boolean().default(false),
  ...affineArguments,
});
type Affine = Pick<z.output<typeof layerSchema>, "scale" | "center" | "gammaInitializer" | "betaInitializer">;

const ones = (builder: GraphBuilder, like: Value, shape: readonly number[]): Value =>
  builder.constant({ dtype: like.dtype, shape, values: new Float32Array(elementCount(shape)).fill(1) });

/** Trailing axes are normalised by one operator, which also gives what its gradient needs. */
const emitTrailing = (
  x: Value,
  shape: readonly number[],
  options: {
    readonly context: EmitContext;
    readonly epsilon: number;
    readonly scale: boolean;
    readonly center: boolean;
  },
): Value => {
  const { context, epsilon, scale, center } = options;
  const { builder } = context;
  const gamma = scale ? context.weight("gamma") : ones(builder, x, shape);
  const [value = x] = builder.applyMany("LayerNormalization", [x, gamma, ...(center ? [context.weight("beta")] : [])], {
    attributes: { axis: -shape.length, epsilon: { float: epsilon } },
    outputCount: context.training ? 3 : 1,
  });
  return value;
};

/**
 * Normalises each sample over some axes by its mean and biased variance; `gamma` and `beta` span these axes.
 * With `rmsScaling` the mean is kept and there is no `beta`.
 * Source: keras/src/layers/normalization/layer_normalization.py.
 */
export const layerNormalizationLayer: LayerKind = defineLayer({
  layer: "LayerNormalization",
  arguments: layerSchema,
  passesMask: true,
  outputShape: ({ axis }, inputs, place) => {
    const shape = only(inputs, place);
    for (const one of typeof axis === "number" ? [axis] : axis) sampleAxis(one, shape, place);
    return shape;
  },
  weights: (args, inputs) => {
    const shape = only(inputs);
    const over = axesOf(args.axis, shape, "LayerNormalization").map((axis) => shape[axis] ?? 1);
    return affine(args.rmsScaling ? { ...args, scale: true, center: false } : args, over);
  },
  emit: (args, inputs, context) => {
    const { builder } = context;
    const input = plain(builder, only(inputs));
    const { shape } = input;
    const over = axesOf(args.axis, shape, "LayerNormalization");
    const lengths = over.map((axis) => shape[axis] ?? 1);
    const trailing = over.every((axis, index) => axis === shape.length - over.length + index);
    if (trailing && !args.rmsScaling) {
      return { ...input, value: emitTrailing(input.value, lengths, { context, ...args }) };
    }
    const { centred, inverse } = standardised(builder, input.value, {
      over: over.map((axis) => axis + 1),
      epsilon: args.epsilon,
    });
    const weight = (name: string): Value => spread(builder, context.weight(name), { over, shape });
    const scale = args.scale || args.rmsScaling;
    const factor = scale ? builder.apply("Mul", [inverse, weight("gamma")]) : inverse;
    const scaled = builder.apply("Mul", [args.rmsScaling ? input.value : centred, factor]);
    const shifted = args.center && !args.rmsScaling;
    return { ...input, value: shifted ? builder.apply("Add", [scaled, weight("beta")]) : scaled };
  },
});

/**
 * x / √(mean(x²) + ε) · scale over some axes.
 * Source: keras/src/layers/normalization/rms_normalization.py.
 */
export const rmsNormalizationLayer: LayerKind = defineLayer({
  layer: "RMSNormalization",
  arguments: z.strictObject({ axis: axes.default(-1), epsilon: z.number().positive().default(1e-6) }),
  passesMask: true,
  outputShape: (_, inputs, place) => only(inputs, place),
  weights: ({ axis }, inputs) => {
    const shape = only(inputs);
    const over = axesOf(axis, shape, "RMSNormalization").map((one) => shape[one] ?? 1);
    return [{ name: "scale", shape: over, initializer: "ones", trainable: true }];
  },
  emit: ({ axis, epsilon }, inputs, context) => {
    const { builder } = context;
    const input = plain(builder, only(inputs));
    const over = axesOf(axis, input.shape, "RMSNormalization");
    const square = mean(
      builder,
      builder.apply("Mul", [input.value, input.value]),
      over.map((one) => one + 1),
    );
    const root = builder.apply("Sqrt", [builder.apply("Add", [square, builder.scalarLike(square, epsilon)])]);
    const scale = spread(builder, context.weight("scale"), { over, shape: input.shape });
    return { ...input, value: builder.apply("Mul", [builder.apply("Div", [input.value, root]), scale]) };
  },
});

/** x / max(‖x‖, 1e-6) over some axes. Source: keras/src/layers/normalization/unit_normalization.py. */
export const unitNormalizationLayer: LayerKind = defineLayer({
  layer: "UnitNormalization",
  arguments: z.strictObject({ axis: axes.default(-1) }),
  passesMask: true,
  outputShape: (_, inputs, place) => only(inputs, place),
  emit: ({ axis }, inputs, { builder }) => {
    const input = plain(builder, only(inputs));
    const over = axesOf(axis, input.shape, "UnitNormalization").map((one) => one + 1);
    const square = builder.apply("ReduceSum", [
      builder.apply("Mul", [input.value, input.value]),
      builder.integers(over),
    ]);
    const norm = builder.apply("Sqrt", [builder.apply("Max", [square, builder.scalarLike(square, 1e-12)])]);
    return { ...input, value: builder.apply("Div", [input.value, norm]) };
  },
});

const groupSchema = z.strictObject({
  groups: z.union([z.literal(-1), z.int().min(1)]).default(32),
  axis: z.int().default(-1),
  ...affineArguments,
});

/**
 * Normalises each sample over groups of channels and all places; −1 groups are as many as channels.
 * Source: keras/src/layers/normalization/group_normalization.py.
 */
export const groupNormalizationLayer: LayerKind = defineLayer({
  layer: "GroupNormalization",
  arguments: groupSchema,
  passesMask: true,
  outputShape: ({ groups, axis }, inputs, place) => {
    const shape = only(inputs, place);
    const channels = shape[sampleAxis(axis, shape, place)] ?? 1;
    if (groups === -1 || channels % groups === 0) return shape;
    throw new LearnError(
      "layer-invalid",
      `GroupNormalization "${place.name}" has ${groups} groups, which must divide its ${channels} channels.`,
    );
  },
  weights: (args, inputs) => {
    const shape = only(inputs);
    const axis = sampleAxis(args.axis, shape, { layer: "GroupNormalization", name: "" });
    return affine(args, [shape[axis] ?? 1]);
  },
  emit: (args, inputs, context) => {
    const { builder } = context;
    const input = plain(builder, only(inputs));
    const { shape } = input;
    const axis = sampleAxis(args.axis, shape, { layer: "GroupNormalization", name: "" });
    const channels = shape[axis] ?? 1;
    const groups = args.groups === -1 ? channels : args.groups;
    const grouped = shape.toSpliced(axis, 1, groups, channels / groups);
    const over = grouped.map((_, at) => at + 1).filter((at) => at !== axis + 1);
    const { centred, inverse } = standardised(builder, reshapeSamples(builder, input.value, grouped), {
      over,
      epsilon: args.epsilon,
    });
    const value = reshapeSamples(builder, builder.apply("Mul", [centred, inverse]), shape);
    const weight = (name: string): Value => spread(builder, context.weight(name), { over: [axis], shape });
    const scaled = args.scale ? builder.apply("Mul", [value, weight("gamma")]) : value;
    return { ...input, value: args.center ? builder.apply("Add", [scaled, weight("beta")]) : scaled };
  },
});
