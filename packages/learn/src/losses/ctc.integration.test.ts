import { describe, expect, test } from "vitest";
import { differentiate } from "../autodiff/index.ts";
import { GraphBuilder } from "../onnx/builder.ts";
import { encodeModel } from "../onnx/encode.ts";
import { onnxRuntimeExecutor } from "../onnxruntime-node/index.ts";
import { createRandom } from "../random.ts";
import { emitReducedLoss } from "./emit.ts";

const executor = onnxRuntimeExecutor({ intraOpNumThreads: 1 });

interface Reading {
  readonly steps: number;
  readonly classes: number;
  /** [batch][labels], zeros at the end are padding. */
  readonly labels: readonly (readonly number[])[];
}

/** Losses, each a batch of one, and the gradient of their mean. */
const measure = async ({ steps, classes, labels }: Reading, logits: Float32Array) => {
  const batch = labels.length;
  const labelLength = labels[0]?.length ?? 0;
  const builder = new GraphBuilder();
  const p = builder.input("p", "float32", [batch, steps, classes]);
  const y = builder.input("y", "int32", [batch, labelLength]);
  const loss = emitReducedLoss(builder, { name: "ctc", labelLength }, { prediction: p, target: y });
  const [gradient] = differentiate(builder, { loss, withRespectTo: [p] });
  if (gradient === undefined) throw new Error("no gradient");
  await using session = await executor.load(encodeModel(builder.finish("ctc", { loss, gradient })));
  const result = await session.run({
    p: { dtype: "float32", shape: [batch, steps, classes], values: logits },
    y: { dtype: "int32", shape: [batch, labelLength], values: Int32Array.from(labels.flat()) },
  });
  return { loss: Number(result["loss"]?.values[0]), gradient: result["gradient"]?.values as Float32Array };
};

/** −log Σ over all paths that read as the labels: the definition, path by path. */
const byPaths = ({ steps, classes, labels }: Reading, logits: Float32Array): number => {
  const losses = labels.map((wanted, sample) => {
    const at = (step: number, c: number): number => logits[(sample * steps + step) * classes + c] ?? NaN;
    const rows = Array.from({ length: steps }, (_, step) => {
      const row = Array.from({ length: classes }, (__, c) => Math.exp(at(step, c)));
      const sum = row.reduce((a, b) => a + b);
      return row.map((value) => value / sum);
    });
    let total = 0;
    for (let path = 0; path < classes ** steps; path++) {
      const symbols = Array.from({ length: steps }, (_, step) => Math.floor(path / classes ** step) % classes);
      const read = symbols.filter((symbol, step) => symbol !== 0 && symbol !== symbols[step - 1]);
      if (read.join() === wanted.filter((label) => label !== 0).join()) {
        total += symbols.reduce((product, symbol, step) => product * (rows[step]?.[symbol] ?? 0), 1);
      }
    }
    return -Math.log(total);
  });
  return losses.reduce((a, b) => a + b) / losses.length;
};

const random = createRandom(8);
const logitsOf = ({ steps, classes, labels }: Reading): Float32Array =>
  Float32Array.from({ length: labels.length * steps * classes }, () => 2 * random.normal());

const cases: Readonly<Record<string, Reading>> = {
  "one label": { steps: 4, classes: 3, labels: [[1], [2]] },
  "labels that repeat, which need a blank between them": {
    steps: 5,
    classes: 3,
    labels: [
      [1, 1],
      [2, 2],
    ],
  },
  "shorter and empty lists": {
    steps: 5,
    classes: 4,
    labels: [
      [1, 2, 3],
      [3, 0, 0],
      [0, 0, 0],
    ],
  },
  "no step to spare": { steps: 3, classes: 3, labels: [[1, 2, 1]] },
  "a single step": { steps: 1, classes: 3, labels: [[2], [0]] },
};

describe("ctc is the sum over all paths, and its gradient is that of the sum", () => {
  test.each(Object.entries(cases))("%s", async (_, reading) => {
    const logits = logitsOf(reading);
    const { loss, gradient } = await measure(reading, logits);
    expect(loss).toBeCloseTo(byPaths(reading, logits), 4);
    const step = 1e-4;
    for (let i = 0; i < logits.length; i++) {
      const [above, below] = [step, -step].map((h) => {
        const moved = Float64Array.from(logits);
        moved[i] = (moved[i] ?? 0) + h;
        return byPaths(reading, moved as unknown as Float32Array);
      });
      expect(gradient[i]).toBeCloseTo(((above ?? NaN) - (below ?? NaN)) / (2 * step), 4);
    }
  });

  test("logits far apart neither over- nor underflow", async () => {
    const reading = { steps: 4, classes: 3, labels: [[1, 2]] };
    const logits = Float32Array.from({ length: 12 }, (_, i) => (i % 3 === 0 ? 200 : -200));
    const { loss, gradient } = await measure(reading, logits);
    expect(loss).toBeCloseTo(800 - Math.log(6), 2);
    expect(gradient.every(Number.isFinite)).toBe(true);
  });

  test("labels that need more steps than there are have an infinite loss, which ends a training", async () => {
    const reading = { steps: 2, classes: 3, labels: [[1, 1]] };
    expect((await measure(reading, logitsOf(reading))).loss).toBe(Infinity);
  });
});
