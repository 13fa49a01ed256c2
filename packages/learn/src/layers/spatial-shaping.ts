import { z } from "zod";
import { LearnError } from "../errors.ts";
import type { GraphBuilder } from "../onnx/builder.ts";
import { lengthsOf, lengthsSchema } from "./arguments.ts";
import type { Lengths } from "./arguments.ts";
import { type Interpolation, interpolationSchema, resized } from "./resizing.ts";
import { defineLayer, only, spatialShape } from "./layer.ts";
import type { LayerKind, LayerValue } from "./layer.ts";
import { graphAxis, reshapeSamples } from "./layout.ts";

type Rank = 1 | 2 | 3;
type Amounts = number | readonly (number | readonly [number, number])[];

const amount = z.int().min(0).max(65_536);

/** Accepts one amount for all sides, one each axis, or a pair [before, after] each axis; for sequences also one pair. */
const amountsSchema = (rank: Rank): z.ZodType<Amounts> =>
  rank === 1
    ? z.union([amount, z.tuple([amount, amount]).transform((pair): Amounts => [pair])])
    : z.union([amount, z.array(z.union([amount, z.tuple([amount, amount])])).length(rank)]);

const sidesOf = (amounts: Amounts, rank: Rank): readonly (readonly [number, number])[] => {
  const list = typeof amounts === "number" ? Array.from({ length: rank }, () => amounts) : amounts;
  return list.map((item) => (typeof item === "number" ? ([item, item] as const) : item));
};

const padded = (
  builder: GraphBuilder,
  input: LayerValue,
  sides: readonly (readonly [number, number])[],
): LayerValue => {
  const rank = input.value.shape.length;
  const pads = Array.from({ length: 2 * rank }, () => 0);
  for (const [axis, [before, after]] of sides.entries()) {
    pads[graphAxis(input, axis)] = before;
    pads[graphAxis(input, axis) + rank] = after;
  }
  const value = builder.apply("Pad", [input.value, builder.integers(pads), builder.scalarLike(input.value, 0)]);
  const shape = input.shape.map((length, axis) => length + (sides[axis]?.[0] ?? 0) + (sides[axis]?.[1] ?? 0));
  return { value, shape, layout: input.layout };
};

const zeroPadding = (rank: Rank): LayerKind =>
  defineLayer({
    layer: `ZeroPadding${rank}D`,
    arguments: z.strictObject({ padding: amountsSchema(rank).default(1) }),
    outputShape: ({ padding }, inputs, place) => {
      const sides = sidesOf(padding, rank);
      return spatialShape(inputs, rank, place).map(
        (length, axis) => length + (sides[axis]?.[0] ?? 0) + (sides[axis]?.[1] ?? 0),
      );
    },
    emit: ({ padding }, inputs, { builder }) => padded(builder, only(inputs), sidesOf(padding, rank)),
  });

const cropping = (rank: Rank): LayerKind =>
  defineLayer({
    layer: `Cropping${rank}D`,
    arguments: z.strictObject({ cropping: amountsSchema(rank).default(1) }),
    outputShape: (args, inputs, place) => {
      const sides = sidesOf(args.cropping, rank);
      const shape = spatialShape(inputs, rank, place);
      const cropped = shape.map((length, axis) => length - (sides[axis]?.[0] ?? 0) - (sides[axis]?.[1] ?? 0));
      if (cropped.every((length) => length > 0)) return cropped;
      throw new LearnError(
        "shape-mismatch",
        `${place.layer} "${place.name}" crops more than its input of shape [${shape.join(", ")}] has. Crop less.`,
      );
    },
    emit: (args, inputs, { builder }) => {
      const input = only(inputs);
      const sides = sidesOf(args.cropping, rank);
      const starts = sides.map(([before]) => before);
      const ends = sides.map(([, after], axis) => (input.shape[axis] ?? 0) - after);
      const value = builder.apply("Slice", [
        input.value,
        builder.integers(starts),
        builder.integers(ends),
        builder.integers(sides.map((_, axis) => graphAxis(input, axis))),
      ]);
      const shape = input.shape.map((length, axis) =>
        axis < rank ? (ends[axis] ?? length) - (starts[axis] ?? 0) : length,
      );
      return { value, shape, layout: input.layout };
    },
  });

/** Repeats every element along an axis: […, n, …] → […, n, 1, …] → […, n, times, …] → […, n · times, …]. */
const repeated = (
  builder: GraphBuilder,
  input: LayerValue,
  { axis, times }: { readonly axis: number; readonly times: number },
): LayerValue => {
  if (times === 1) return input;
  const at = graphAxis(input, axis);
  const { shape } = input.value;
  const split = builder.apply("Unsqueeze", [input.value, builder.integers([at + 1])]);
  const behind = shape.slice(at + 1).map(() => 1);
  const wide = builder.apply("Expand", [split, builder.integers([times, ...behind])]);
  const lengths = shape
    .with(at, Number(shape[at]) * times)
    .slice(1)
    .map(Number);
  return {
    ...input,
    value: reshapeSamples(builder, wide, lengths),
    shape: input.shape.with(axis, (input.shape[axis] ?? 1) * times),
  };
};

interface UpSampling {
  readonly size: Lengths;
  /** Of images only; elements are repeated by default. */
  readonly interpolation: Interpolation;
}

const upSampling = (rank: Rank): LayerKind =>
  defineLayer<UpSampling>({
    layer: `UpSampling${rank}D`,
    arguments: z.strictObject({
      size: lengthsSchema(rank).default(2),
      interpolation: (rank === 2 ? interpolationSchema : z.literal("nearest")).default("nearest"),
    }),
    outputShape: ({ size }, inputs, place) => {
      const sizes = lengthsOf(size, rank);
      return spatialShape(inputs, rank, place).map((length, axis) => length * (sizes[axis] ?? 1));
    },
    emit: ({ size, interpolation }, inputs, { builder }) => {
      const input = only(inputs);
      const sizes = lengthsOf(size, rank);
      if (interpolation !== "nearest") {
        const [height = 1, width = 1] = input.shape.map((length, axis) => length * (sizes[axis] ?? 1));
        return resized(builder, input, { height, width, interpolation });
      }
      return sizes.reduce((value, times, axis) => repeated(builder, value, { axis, times }), input);
    },
  });

const ranks: readonly Rank[] = [1, 2, 3];

/** Zeros around sequences, images and volumes. */
export const zeroPaddingLayers: readonly LayerKind[] = ranks.map(zeroPadding);

/** Sequences, images and volumes without their borders. */
export const croppingLayers: readonly LayerKind[] = ranks.map(cropping);

/** Sequences, images and volumes with every element repeated. */
export const upSamplingLayers: readonly LayerKind[] = ranks.map(upSampling);
