import { describe, expect, test } from "vitest";
import {
  augmentedSource,
  type BatchSource,
  dense,
  dropout,
  flatten,
  input,
  mixUp,
  randomFlip,
  randomTranslation,
  sequential,
} from "../index.ts";
import { onnxRuntimeExecutor } from "../onnxruntime-node/index.ts";
import { modelCheckpoint } from "./callbacks/index.ts";
import { compile, type Learner } from "./learner.ts";
import type { LearnerState } from "./state.ts";

const executor = onnxRuntimeExecutor({ intraOpNumThreads: 1 });
const samples = 23;
const pixels = Float32Array.from({ length: samples * 16 }, (_, i) => Math.sin(i * 0.9));
const rows = Float32Array.from({ length: samples * 3 }, (_, i) => (i % 3 === Math.floor(i / 3) % 3 ? 1 : 0));
const x = { shape: [samples, 4, 4, 1], values: pixels };
const y = { shape: [samples, 3], values: rows };

const make = (): Promise<Learner> =>
  compile(
    sequential([
      input({ shape: [4, 4, 1] }),
      flatten(),
      dropout({ rate: 0.2 }),
      dense({ units: 3, activation: "softmax" }),
    ]),
    { loss: "categorical_crossentropy", metrics: ["accuracy"], seed: 4, executor },
  );

/** The samples as if they were read from elsewhere: later, and in no fixed time. */
const slow = (options: { readonly prefetch?: number; readonly onRead?: () => void } = {}): BatchSource => ({
  samples,
  prefetch: options.prefetch ?? 0,
  read: async (request, into) => {
    options.onRead?.();
    await new Promise((resolve) => setTimeout(resolve, (request.rows[0] ?? 0) % 4));
    for (const [place, row] of request.rows.entries()) {
      into.inputs[0]?.set(pixels.subarray(row * 16, (row + 1) * 16), place * 16);
      into.targets[0]?.set(rows.subarray(row * 3, (row + 1) * 3), place * 3);
    }
  },
});

describe("a source in place of arrays", () => {
  test.each([0, 1, 3, 50])("trains and validates to the same bytes, reading %i batches ahead", async (prefetch) => {
    await using fromArrays = await make();
    await using fromSource = await make();
    const options = { epochs: 3, batchSize: 5 };
    const a = await fromArrays.fit(x, y, { ...options, validationData: { x, y } });
    const b = await fromSource.fit(slow({ prefetch }), { ...options, validationData: slow() });
    expect(b.epochs).toEqual(a.epochs);
    expect(fromSource.exportOnnx()).toEqual(fromArrays.exportOnnx());
    expect(await fromSource.evaluateSource(slow())).toEqual(await fromArrays.evaluate(x, y));
  });

  test("never holds more batches than it may read ahead", async () => {
    await using learner = await make();
    let [begun, done, most] = [0, 0, 0];
    const onRead = (): void => {
      begun += 1;
      most = Math.max(most, begun - done);
    };
    const count = { name: "count", onStepEnd: () => void (done += 1) };
    await learner.fit(slow({ prefetch: 2, onRead }), { epochs: 2, batchSize: 2, callbacks: [count] });
    expect(begun).toBe(done);
    expect(most).toBe(3);
  });

  test("tells its failures, also those of batches that are read ahead", async () => {
    await using learner = await make();
    let reads = 0;
    const failing: BatchSource = {
      samples,
      prefetch: 4,
      read: async () => {
        reads += 1;
        await Promise.resolve();
        if (reads > 2) throw new Error("the disk is gone");
      },
    };
    await expect(learner.fit(failing, { batchSize: 4 })).rejects.toThrow("the disk is gone");
  });

  test("takes no options that need arrays", async () => {
    await using learner = await make();
    await expect(learner.fit(slow(), { validationSplit: 0.1 })).rejects.toThrow(/need arrays/);
    await expect(learner.fit(slow(), { classWeight: { 0: 2 } })).rejects.toThrow(/need arrays/);
    await expect(learner.fit({ ...slow(), samples: 0 })).rejects.toThrow(/no samples/);
  });
});

test("augmented samples differ each epoch, and a training that goes on sees the same ones again", async () => {
  const seen: number[] = [];
  const augmented = (): BatchSource => {
    const changed = augmentedSource(slow({ prefetch: 2 }), {
      shape: [4, 4, 1],
      samples: [randomFlip(), randomTranslation({ height: 0.25, width: 0.25 })],
      batches: [mixUp()],
    });
    return {
      ...changed,
      read: async (request, into) => {
        await changed.read(request, into);
        seen.push(into.inputs[0]?.[0] ?? NaN);
      },
    };
  };
  const options = { epochs: 3, batchSize: 6, shuffle: false };
  await using whole = await make();
  const states: LearnerState[] = [];
  const saver = modelCheckpoint((state) => void states.push(structuredClone(state)), { everySteps: 1 });
  const expected = await whole.fit(augmented(), { ...options, callbacks: [saver] });
  expect(new Set(seen).size).toBe(12);
  for (const state of [states[1], states[4], states[9]]) {
    if (state === undefined) throw new Error("nothing was saved");
    await using resumed = await make();
    resumed.restore(state);
    expect((await resumed.fit(augmented(), options)).epochs).toEqual(expected.epochs);
    expect(resumed.exportOnnx()).toEqual(whole.exportOnnx());
  }
});
