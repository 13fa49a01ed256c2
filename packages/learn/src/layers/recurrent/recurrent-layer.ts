import type { z } from "zod";
import { LearnError } from "../../errors.ts";
import type { GraphBuilder } from "../../onnx/builder.ts";
import type { Value } from "../../onnx/graph.ts";
import { defineLayer } from "../layer.ts";
import type { EmitContext, LayerKind, LayerPlace, LayerValue, SampleShape, WeightSpec } from "../layer.ts";
import { plain } from "../layout.ts";
import type { RecurrentArguments } from "./arguments.ts";
import type { Cell, CellWeights, Run, RunResult } from "./cell.ts";

const sequenceShape = (inputs: readonly SampleShape[], place: LayerPlace): readonly [number, number] => {
  const [steps, features] = inputs[0] ?? [];
  if (steps !== undefined && features !== undefined && inputs[0]?.length === 2) return [steps, features];
  throw new LearnError(
    "shape-mismatch",
    `${place.layer} "${place.name}" expects a sequence [steps, features], but its input has shape [${(inputs[0] ?? []).join(", ")}]. Put an Embedding or a Reshape in front of it.`,
  );
};

/** [batch, steps, …] as [steps, batch, …], and back. */
const turned = (builder: GraphBuilder, x: Value): Value =>
  builder.apply("Transpose", [x], { attributes: { perm: [1, 0, ...x.shape.slice(2).map((_, axis) => axis + 2)] } });

/** The same steps from the last one to the first. */
export const reversed = (builder: GraphBuilder, x: Value, axis: number): Value =>
  builder.apply("Slice", [
    x,
    builder.integers([-1]),
    builder.integers([-(2 ** 31)]),
    builder.integers([axis]),
    builder.integers([-1]),
  ]);

const stepsOf = (builder: GraphBuilder, x: Value): readonly Value[] => {
  const count = Number(x.shape[0]);
  const cut =
    count === 1
      ? [x]
      : builder.applyMany("Split", [x], { attributes: { axis: 0, num_outputs: count }, outputCount: count });
  return cut.map((one) => builder.apply("Squeeze", [one, builder.integers([0])]));
};

interface Conditions {
  /** [steps, batch], in the order of computation. */
  readonly mask: Value | undefined;
  readonly drop: (state: Value) => Value;
  readonly zeroOutput: boolean;
}

/** The inputs' part of all gates' arguments at once: [steps, batch, gates · units]. */
const projected = ({ builder, x, weights }: Run, bias: Value | undefined): Value => {
  const product = builder.apply("MatMul", [x, weights.kernel]);
  return bias === undefined ? product : builder.apply("Add", [product, bias]);
};

/**
 * Runs a sequence step by step. A step that the mask leaves out keeps the states; its result is the one before it, which
 * is zero at first, or always zero where that is asked for.
 */
const runSteps = <Arguments extends RecurrentArguments>(
  cell: Cell<Arguments>,
  { args, run }: { readonly args: Arguments; readonly run: Run },
  { mask, drop, zeroOutput }: Conditions,
): RunResult => {
  const { builder, weights } = run;
  const bias = weights.bias === undefined ? undefined : cell.inputBias(builder, args, weights.bias);
  const masks = mask === undefined ? [] : stepsOf(builder, builder.apply("Unsqueeze", [mask, builder.integers([2])]));
  const results: Value[] = [];
  let states = run.initial;
  for (const [at, input] of stepsOf(builder, projected(run, bias)).entries()) {
    const fresh = cell.step(args, { builder, input, states, weights, drop });
    const [first = input] = fresh;
    const counts = masks[at];
    const zero = builder.scalarLike(first, 0);
    const kept = (value: Value, otherwise: Value | undefined): Value =>
      counts === undefined ? value : builder.apply("Where", [counts, value, otherwise ?? zero]);
    const output = kept(first, zeroOutput ? zero : results.at(-1));
    states = fresh.map((state, index) => kept(state, states[index]));
    results.push(output);
  }
  const sequence = builder.apply(
    "Concat",
    results.map((one) => builder.apply("Unsqueeze", [one, builder.integers([0])])),
    { attributes: { axis: 0 } },
  );
  return { sequence, states: states as readonly Value[] };
};

const dropped = (context: EmitContext, input: LayerValue, rate: number): Value => {
  if (!context.training || rate === 0) return input.value;
  const [batch = 1, , features = 1] = input.value.shape;
  return context.builder.apply("Mul", [input.value, context.mask([batch, 1, features], rate)]);
};

const dropperOf = (context: EmitContext, args: RecurrentArguments): ((state: Value) => Value) => {
  if (!context.training || args.recurrentDropout === 0) return (state) => state;
  const mask = context.mask([context.batch, args.units], args.recurrentDropout);
  return (state) => context.builder.apply("Mul", [state, mask]);
};

/** Runs a cell over a layer's inputs: a sequence [batch, steps, features], and initial states where they are given. */
const runCell = <Arguments extends RecurrentArguments>(
  cell: Cell<Arguments>,
  { args, inputs }: { readonly args: Arguments; readonly inputs: readonly LayerValue[] },
  context: EmitContext,
): { readonly run: RunResult; readonly mask: Value | undefined } => {
  const { builder } = context;
  const [sequence, ...states] = inputs.map((input) => plain(builder, input));
  if (sequence === undefined) throw new LearnError("layer-invalid", `${cell.layer} has no input.`);
  const ordered = (x: Value): Value =>
    args.goBackwards ? reversed(builder, turned(builder, x), 0) : turned(builder, x);
  const weights: CellWeights = {
    kernel: context.weight("kernel"),
    recurrent: context.weight("recurrent_kernel"),
    bias: args.useBias ? context.weight("bias") : undefined,
  };
  const run: Run = {
    builder,
    x: ordered(dropped(context, sequence, args.dropout)),
    weights,
    initial: Array.from({ length: cell.states }, (_, index) => states[index]?.value),
  };
  const { mask } = sequence;
  if (mask === undefined && !(context.training && args.recurrentDropout > 0)) {
    const whole = context.differentiable ? cell.fused?.(args, run) : cell.operator?.(args, run);
    if (whole !== undefined) return { run: whole, mask };
  }
  const conditions = {
    mask: mask === undefined ? undefined : ordered(mask),
    drop: dropperOf(context, args),
    zeroOutput: args.zeroOutputForMask,
  };
  return { run: runSteps(cell, { args, run }, conditions), mask };
};

/** Weights of a cell by their Keras names. */
const cellWeights = <Arguments extends RecurrentArguments>(
  cell: Cell<Arguments>,
  args: Arguments,
  features: number,
): readonly WeightSpec[] => [
  {
    name: "kernel",
    shape: [features, cell.gates * args.units],
    initializer: args.kernelInitializer,
    trainable: true,
  },
  {
    name: "recurrent_kernel",
    shape: [args.units, cell.gates * args.units],
    initializer: args.recurrentInitializer,
    trainable: true,
  },
  ...cell.weights(args, features),
];

/** Shape of a recurrent layer's result; its inputs must be a sequence and as many states as the cell has, or none. */
const cellShape = (
  cell: { readonly states: number },
  { args, inputs }: { readonly args: RecurrentArguments; readonly inputs: readonly SampleShape[] },
  place: LayerPlace,
): SampleShape => {
  const [steps] = sequenceShape(inputs, place);
  const states = inputs.slice(1);
  const fit = states.every((shape) => shape.join() === String(args.units));
  if (fit && (states.length === 0 || states.length === cell.states)) {
    return args.returnSequences ? [steps, args.units] : [args.units];
  }
  throw new LearnError(
    "shape-mismatch",
    `${place.layer} "${place.name}" takes a sequence and, if any, ${cell.states} initial state(s) of shape [${args.units}], but ${inputs.length} inputs came: ${inputs.map((shape) => `[${shape.join(", ")}]`).join(", ")}.`,
  );
};

/** Makes a layer of a recurrent cell. Source: keras/src/layers/rnn/rnn.py. */
export const recurrentLayer = <Arguments extends RecurrentArguments>(
  cell: Cell<Arguments>,
  schema: z.ZodType<Arguments>,
): LayerKind =>
  defineLayer<Arguments>({
    layer: cell.layer,
    arguments: schema,
    outputShape: (args, inputs, place) => cellShape(cell, { args, inputs }, place),
    furtherShapes: (args) => (args.returnState ? Array.from({ length: cell.states }, () => [args.units]) : []),
    weights: (args, inputs) => cellWeights(cell, args, inputs[0]?.[1] ?? 1),
    emit: (args, inputs, context) => {
      const { builder } = context;
      const { run, mask } = runCell(cell, { args, inputs }, context);
      const states = run.states.map((value): LayerValue => ({ value, shape: [args.units], layout: "plain" }));
      const further = args.returnState ? { further: states } : {};
      if (!args.returnSequences) {
        // What the last step gives; with a mask that may be a zero.
        const value = args.zeroOutputForMask && mask !== undefined ? lastOf(builder, run.sequence) : run.states[0];
        return { value: value ?? run.sequence, shape: [args.units], layout: "plain", ...further };
      }
      const value = turned(builder, run.sequence);
      const steps = inputs[0]?.shape[0] ?? 1;
      const masked = mask === undefined ? {} : { mask };
      return { value, shape: [steps, args.units], layout: "plain", ...masked, ...further };
    },
  });

const lastOf = (builder: GraphBuilder, sequence: Value): Value =>
  builder.apply("Squeeze", [
    builder.apply("Slice", [sequence, builder.integers([-1]), builder.integers([2 ** 31]), builder.integers([0])]),
    builder.integers([0]),
  ]);
