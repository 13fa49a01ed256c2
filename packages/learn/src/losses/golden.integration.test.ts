import { describe, expect, test } from "vitest";
import { differentiate } from "../autodiff/index.ts";
import { GraphBuilder } from "../onnx/builder.ts";
import { encodeModel } from "../onnx/encode.ts";
import { onnxRuntimeExecutor } from "../onnxruntime-node/index.ts";
import { goldenArray, goldenJson, hasGolden, largestDifference } from "../../../../tests/kit/golden.ts";
import type { Executor, TensorData } from "../training/executor.ts";
import { lossNames, parseLoss, takesClasses } from "./config.ts";
import { emitReducedLoss } from "./emit.ts";

const executor: Executor = onnxRuntimeExecutor({ intraOpNumThreads: 1 });

interface LossCase {
  readonly name: string;
  readonly value: number;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly tolerance: number;
}

/** Our argument names for Keras' configuration; `axis` is −1 wherever it is not null. */
const renamed: Readonly<Record<string, string>> = {
  reduction: "reduction",
  from_logits: "fromLogits",
  label_smoothing: "labelSmoothing",
  ignore_class: "ignoreClass",
  apply_class_balancing: "applyClassBalancing",
  alpha: "alpha",
  beta: "beta",
  gamma: "gamma",
};

/** What the file names say where the manifest has no configuration. */
const namedArguments = (name: string): Record<string, unknown> => ({
  ...(name.endsWith("_logits") ? { fromLogits: true } : {}),
  ...(name.endsWith("_smooth") ? { labelSmoothing: 0.1 } : {}),
  ...(name === "huber_delta_half" ? { delta: 0.5 } : {}),
});

/** Longest first, so that `sparse_categorical_crossentropy_logits` is not taken for another loss. */
const byLength = lossNames.toSorted((a, b) => b.length - a.length);
const abbreviations: Readonly<Record<string, string>> = {
  binary_focal: "binary_focal_crossentropy",
  categorical_focal: "categorical_focal_crossentropy",
  sparse_ignore: "sparse_categorical_crossentropy",
};

const lossOf = ({ name, config }: LossCase): unknown => {
  const short = Object.keys(abbreviations).find((start) => name.startsWith(start));
  const loss = short === undefined ? byLength.find((start) => name.startsWith(start)) : abbreviations[short];
  const given = Object.entries(config ?? {}).flatMap(([key, value]) =>
    renamed[key] === undefined || value === null ? [] : [[renamed[key], value] as const],
  );
  return { name: loss, ...(config === undefined ? namedArguments(name) : Object.fromEntries(given)) };
};

describe("losses and their gradients with respect to the prediction equal Keras'", () => {
  const { cases } = goldenJson<{ cases: LossCase[] }>("losses/manifest.json");
  test("the manifest is not empty", () => expect(cases.length).toBeGreaterThan(35));
  test.each(cases.map((one) => [one.name, one] as const))("%s", async (name, one) => {
    const [truth, prediction, gradient] = [
      goldenArray(`losses/${name}.true.npy`),
      goldenArray(`losses/${name}.pred.npy`),
      goldenArray(`losses/${name}.grad.npy`),
    ];
    const weightFile = `losses/${name}.weight.npy`;
    const weight = hasGolden(weightFile) ? goldenArray(weightFile) : undefined;
    const config = parseLoss(lossOf(one));
    const builder = new GraphBuilder();
    const p = builder.input("p", "float32", prediction.shape);
    const y = builder.input("y", takesClasses(config) ? "int32" : "float32", truth.shape);
    const sampleWeight = weight && builder.input("w", "float32", weight.shape);
    const loss = emitReducedLoss(builder, config, { prediction: p, target: y, sampleWeight });
    const [dp] = differentiate(builder, { loss, withRespectTo: [p] });
    if (dp === undefined) throw new Error("no gradient");
    await using session = await executor.load(encodeModel(builder.finish("loss", { loss, gradient: dp })));
    const target: TensorData = takesClasses(config)
      ? { dtype: "int32", shape: truth.shape, values: Int32Array.from(truth.values) }
      : { dtype: "float32", ...truth };
    const feeds: Record<string, TensorData> = { p: { dtype: "float32", ...prediction }, y: target };
    if (weight !== undefined) feeds["w"] = { dtype: "float32", ...weight };
    const result = await session.run(feeds);
    const error = Math.abs(Number(result["loss"]?.values[0]) - one.value);
    expect(error).toBeLessThan(one.tolerance * Math.max(1, Math.abs(one.value)));
    const size = gradient.values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1);
    const difference = largestDifference(result["gradient"]?.values as Float32Array, gradient.values);
    expect(difference).toBeLessThan(one.tolerance * size);
  });
});
