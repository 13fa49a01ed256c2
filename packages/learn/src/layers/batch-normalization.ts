import { z } from "zod";
import type { GraphBuilder } from "../onnx/builder.ts";
import type { Value } from "../onnx/graph.ts";
import { initializerSchema } from "./arguments.ts";
import { defineLayer, only, sampleAxis } from "./layer.ts";
import type { EmitContext, LayerKind } from "./layer.ts";
import { graphAxis, plain } from "./layout.ts";

const schema = z.strictObject({
  axis: z.int().default(-1),
  momentum: z.number().min(0).max(1).default(0.99),
  epsilon: z.number().positive().default(1e-3),
  center: z.boolean().default(true),
  scale: z.boolean().default(true),
  betaInitializer: initializerSchema.default("zeros"),
  gammaInitializer: initializerSchema.default("ones"),
  movingMeanInitializer: initializerSchema.default("zeros"),
  movingVarianceInitializer: initializerSchema.default("ones"),
});

interface Statistics {
  readonly mean: Value;
  readonly variance: Value;
  readonly centred: Value;
}

const batchStatistics = (builder: GraphBuilder, x: Value, axes: readonly number[]): Statistics => {
  const over = builder.integers(axes);
  const mean = builder.apply("ReduceMean", [x, over]);
  const centred = builder.apply("Sub", [x, mean]);
  const variance = builder.apply("ReduceMean", [builder.apply("Mul", [centred, centred]), over]);
  return { mean, variance, centred };
};

/** Blends a measured statistic into the moving one: old · momentum + new · (1 − momentum). */
const move = (
  context: EmitContext,
  name: string,
  { measured, momentum }: { readonly measured: Value; readonly momentum: number },
): void => {
  const { builder } = context;
  const old = context.updated(name);
  const flat = builder.apply("Reshape", [measured, builder.integers([-1])]);
  const kept = builder.apply("Mul", [old, builder.scalarLike(old, momentum)]);
  context.update(
    name,
    builder.apply("Add", [kept, builder.apply("Mul", [flat, builder.scalarLike(flat, 1 - momentum)])]),
  );
};

/**
 * Normalises each channel by the batch's mean and biased variance in training, by moving statistics otherwise and
 * where the layer is frozen.
 * Source: keras/src/layers/normalization/batch_normalization.py.
 */
export const batchNormalizationLayer: LayerKind = defineLayer({
  layer: "BatchNormalization",
  arguments: schema,
  passesMask: true,
  outputShape: ({ axis }, inputs, place) => {
    const shape = only(inputs, place);
    sampleAxis(axis, shape, place);
    return shape;
  },
  weights: ({ axis, ...args }, inputs) => {
    const input = only(inputs);
    const shape = [input[axis < 0 ? axis + input.length : axis - 1] ?? 1];
    return [
      ...(args.scale ? [{ name: "gamma", shape, initializer: args.gammaInitializer, trainable: true }] : []),
      ...(args.center ? [{ name: "beta", shape, initializer: args.betaInitializer, trainable: true }] : []),
      { name: "moving_mean", shape, initializer: args.movingMeanInitializer, trainable: false },
      { name: "moving_variance", shape, initializer: args.movingVarianceInitializer, trainable: false },
    ];
  },
  emit: (args, inputs, context) => {
    const { builder } = context;
    const given = only(inputs);
    const input = given.layout === "flattened" ? plain(builder, given) : given;
    const along = args.axis < 0 ? args.axis + input.shape.length : args.axis - 1;
    const channelAxis = graphAxis(input, along);
    const row = input.value.shape.map((_, axis) => (axis === channelAxis ? (input.shape[along] ?? 1) : 1));
    const perChannel = (value: Value): Value => builder.apply("Reshape", [value, builder.integers(row)]);
    let statistics: Statistics;
    if (context.training && !context.frozen) {
      statistics = batchStatistics(
        builder,
        input.value,
        row.map((_, axis) => axis).filter((axis) => axis !== channelAxis),
      );
      move(context, "moving_mean", { measured: statistics.mean, momentum: args.momentum });
      move(context, "moving_variance", { measured: statistics.variance, momentum: args.momentum });
    } else {
      const mean = perChannel(context.weight("moving_mean"));
      const centred = builder.apply("Sub", [input.value, mean]);
      statistics = { mean, variance: perChannel(context.weight("moving_variance")), centred };
    }
    const { variance, centred } = statistics;
    const shifted = builder.apply("Add", [variance, builder.scalarLike(variance, args.epsilon)]);
    const inverse = builder.apply("Reciprocal", [builder.apply("Sqrt", [shifted])]);
    const factor = args.scale ? builder.apply("Mul", [inverse, perChannel(context.weight("gamma"))]) : inverse;
    const scaled = builder.apply("Mul", [centred, factor]);
    const value = args.center ? builder.apply("Add", [scaled, perChannel(context.weight("beta"))]) : scaled;
    return { ...input, value };
  },
});
