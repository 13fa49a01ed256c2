import { z } from "zod";
import { LearnError } from "../errors.ts";
import { defineLayer, only } from "./layer.ts";
import type { LayerKind, LayerPlace, SampleShape } from "./layer.ts";
import { plainValue } from "./layout.ts";
import { wrappedContext, wrappedSchema, wrappedWeights } from "./wrapped.ts";
import type { FindKind, WrappedLayer } from "./wrapped.ts";

const stepShape = (inputs: readonly SampleShape[], place: LayerPlace): readonly [number, SampleShape] => {
  const [steps, ...rest] = only(inputs, place);
  if (steps !== undefined && rest.length > 0) return [steps, rest];
  throw new LearnError(
    "shape-mismatch",
    `${place.layer} "${place.name}" expects [steps, …], but its input has shape [${only(inputs).join(", ")}]. Put a Reshape in front of it.`,
  );
};

/** A layer applied to every step by itself: [steps, …] → [steps, …]. Source: keras/src/layers/rnn/time_distributed.py. */
export const timeDistributedLayer = (find: FindKind): LayerKind =>
  defineLayer<{ readonly wrapped: WrappedLayer }>({
    layer: "TimeDistributed",
    arguments: z.strictObject({ wrapped: wrappedSchema(find) }),
    passesMask: true,
    outputShape: ({ wrapped }, inputs, place) => {
      const [steps, rest] = stepShape(inputs, place);
      return [steps, ...wrapped.kind.outputShape(wrapped.args, [rest], place)];
    },
    weights: ({ wrapped }, inputs) => wrappedWeights(wrapped, [only(inputs).slice(1)], ""),
    emit: ({ wrapped }, inputs, context) => {
      const { builder } = context;
      const input = only(inputs);
      const [steps = 1, ...rest] = input.shape;
      const value = builder.apply("Reshape", [plainValue(builder, input), builder.integers([-1, ...rest])]);
      const batch = value.shape[0] ?? context.batch;
      const inner = wrapped.kind.emit(
        wrapped.args,
        [{ value, shape: rest, layout: "plain" }],
        wrappedContext({ ...context, batch }, ""),
      );
      const shape = [steps, ...inner.shape];
      const open = typeof context.batch === "number" ? [context.batch, ...shape] : [-1, ...shape];
      const back = builder.apply("Reshape", [plainValue(builder, inner), builder.integers(open)]);
      return { value: back, shape, layout: "plain" };
    },
  });
