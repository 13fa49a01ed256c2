import { describe, expect, test } from "vitest";
import type { LearnerState } from "../state.ts";
import type { Callback, Logs, TrainingControl } from "./callback.ts";
import {
  csvLogger,
  earlyStopping,
  learningRateScheduler,
  makeCallback,
  modelCheckpoint,
  reduceLrOnPlateau,
  terminateOnNan,
} from "./index.ts";

/** Runs callbacks through epochs with the given logs, and tells what they did. */
const run = async (callbacks: readonly Callback[], epochs: readonly Logs[], begin = { rate: 1, from: 0 }) => {
  const seen = { stoppedAfter: 0, reason: "", rates: [] as number[], restored: NaN };
  let [epoch, rate] = [begin.from, begin.rate];
  const control: TrainingControl = {
    get learningRate() {
      return rate;
    },
    set learningRate(value) {
      rate = value;
    },
    stop: (reason) => {
      seen.stoppedAfter = epoch;
      seen.reason = reason;
    },
    // The weights of an epoch are its number.
    state: () => ({ weights: { w: Float32Array.of(epoch) } }) as unknown as LearnerState,
    restoreWeights: (weights) => {
      seen.restored = weights["w"]?.[0] ?? NaN;
    },
  };
  for (const logs of epochs.slice(begin.from)) {
    for (const callback of callbacks)
      await callback.onEpochBegin?.({ epoch: epoch + 1, epochs: epochs.length }, control);
    epoch += 1;
    const report = { epoch, epochs: epochs.length, logs, learningRate: rate };
    for (const callback of callbacks) await callback.onEpochEnd?.(report, control);
    for (const callback of callbacks) await callback.onEpochSettled?.(report, control);
    seen.rates.push(rate);
    if (seen.stoppedAfter > 0) break;
  }
  for (const callback of callbacks) callback.onTrainEnd?.(control);
  return seen;
};

const losses = (...values: number[]): Logs[] => values.map((value) => ({ val_loss: value }));

describe("earlyStopping stops where Keras does", () => {
  test.each([
    ["at once without patience", {}, [3, 2, 2.5, 1], 3],
    ["never in the first epoch", {}, [NaN, NaN], 2],
    ["after the patience", { patience: 2 }, [3, 2, 2.5, 2.4, 1], 4],
    ["when what is gained is less than minDelta", { minDelta: 0.5 }, [3, 2.6, 1], 2],
    ["whatever sign minDelta has", { minDelta: -0.5 }, [3, 2.6, 1], 2],
    ["only after the epochs that are not looked at", { startFromEpoch: 2 }, [1, 2, 3, 4], 4],
    ["when the baseline is not reached", { patience: 2, baseline: 1 }, [3, 2.9, 2.8, 2.9], 4],
    ["as soon as the threshold is reached", { threshold: 2 }, [3, 2, 1], 2],
    ["not while it gets better", {}, [4, 3, 2, 1], 0],
  ])("%s", async (_, options, values, stopped) => {
    expect((await run([earlyStopping(options)], losses(...values))).stoppedAfter).toBe(stopped);
  });

  test("what is better follows the metric's name, or the mode", async () => {
    const rising = [0.5, 0.6, 0.7].map((value) => ({ val_accuracy: value }));
    expect((await run([earlyStopping({ monitor: "val_accuracy" })], rising)).stoppedAfter).toBe(0);
    expect((await run([earlyStopping({ monitor: "val_accuracy", mode: "min" })], rising)).stoppedAfter).toBe(2);
  });

  test("the best weights come back, those of the first epoch looked at when none got better", async () => {
    const options = { patience: 2, restoreBestWeights: true };
    expect((await run([earlyStopping(options)], losses(3, 1, 2, 2))).restored).toBe(2);
    expect((await run([earlyStopping(options)], losses(3, 2, 1))).restored).toBe(3);
    expect((await run([earlyStopping(options)], losses(NaN, NaN, NaN))).restored).toBe(1);
  });

  test("a metric that the training lacks is named", async () => {
    await expect(run([earlyStopping()], [{ loss: 1 }])).rejects.toThrow(/"val_loss".*the training has loss/);
  });
});

test("reduceLrOnPlateau waits, cools down, and stops at the smallest rate", async () => {
  const options = { patience: 2, factor: 0.5, cooldown: 1, minLr: 0.2, minDelta: 0.1 };
  const { rates } = await run([reduceLrOnPlateau(options)], losses(3, 2, 2, 1.95, 2, 2, 2, 2, 2, 2, 2));
  expect(rates).toEqual([1, 1, 1, 0.5, 0.5, 0.25, 0.25, 0.2, 0.2, 0.2, 0.2]);
});

test("learningRateScheduler sets the rate before each epoch, counted from 0, and refuses what is no rate", async () => {
  const { rates } = await run(
    [learningRateScheduler((epoch, rate) => (epoch < 2 ? rate : rate / 2))],
    losses(1, 1, 1, 1),
  );
  expect(rates).toEqual([1, 1, 0.5, 0.25]);
  await expect(run([learningRateScheduler(() => NaN)], losses(1))).rejects.toThrow(/NaN for epoch 0/);
});

describe("modelCheckpoint", () => {
  const saved = async (options: Parameters<typeof modelCheckpoint>[1]): Promise<number[]> => {
    const epochs: number[] = [];
    await run([modelCheckpoint((_, { epoch }) => void epochs.push(epoch), options)], losses(3, 2, 2.5, 1));
    return epochs;
  };
  test("saves every epoch, or the best ones, or those better than a first threshold", async () => {
    expect(await saved({})).toEqual([1, 2, 3, 4]);
    expect(await saved({ saveBestOnly: true })).toEqual([1, 2, 4]);
    expect(await saved({ saveBestOnly: true, initialValueThreshold: 1.5 })).toEqual([4]);
  });
  test("saves after the other callbacks have seen the epoch, wherever it stands in their list", async () => {
    const order: string[] = [];
    const other: Callback = { name: "other", onEpochEnd: () => void order.push("other") };
    await run([modelCheckpoint(() => void order.push("saved")), other], losses(1));
    expect(order).toEqual(["other", "saved"]);
  });
});

test.each<[string, () => Callback]>([
  ["earlyStopping", () => earlyStopping({ patience: 2, restoreBestWeights: true })],
  ["reduceLrOnPlateau", () => reduceLrOnPlateau({ patience: 1, cooldown: 1 })],
  ["modelCheckpoint", () => modelCheckpoint(() => undefined, { saveBestOnly: true })],
])("%s goes on from its saved state as if it had never stopped", async (_, make) => {
  const values = losses(3, 2, 2.5, 1.9, 2, 2);
  const whole = make();
  const expected = await run([whole], values);
  for (let at = 1; at < values.length && at < expected.rates.length; at++) {
    const [first, second] = [make(), make()];
    const before = await run([first], values.slice(0, at));
    second.restore?.(structuredClone(first.state?.()), structuredClone(first.arrays?.() ?? {}));
    const after = await run([second], values, { rate: before.rates.at(-1) ?? 1, from: at });
    expect(after.stoppedAfter).toBe(expected.stoppedAfter);
    expect([...before.rates, ...after.rates]).toEqual(expected.rates);
    expect(second.state?.()).toEqual(whole.state?.());
    expect(second.arrays?.()).toEqual(whole.arrays?.());
  }
});

test("csvLogger writes one header, also when a training goes on", async () => {
  const lines: string[] = [];
  const first = csvLogger((line) => lines.push(line), { separator: ";" });
  await run([first], losses(3));
  const second = csvLogger((line) => lines.push(line), { separator: ";" });
  second.restore?.(first.state?.(), {});
  await run([second], losses(3, 2), { rate: 1, from: 1 });
  expect(lines).toEqual(["epoch;val_loss;learning_rate\n", "1;3;1\n", "2;2;1\n"]);
});

test("callbacks as data: known ones are made, a wrong argument is named", async () => {
  const stopping = makeCallback({ name: "early_stopping", patience: 1, start_from_epoch: 0, minDelta: 0.1 });
  expect((await run([stopping], losses(3, 3))).stoppedAfter).toBe(2);
  expect(makeCallback({ name: "terminate_on_nan" }).name).toBe(terminateOnNan().name);
  expect(makeCallback({ name: "reduce_lr_on_plateau", factor: 0.5 }).name).toBe("reduce_lr_on_plateau");
  expect(() => makeCallback({ name: "early_stopping", patiance: 3 })).toThrow(/patiance/);
  expect(() => makeCallback({ name: "reduce_lr_on_plateau", factor: 2 })).toThrow(/factor/);
  expect(() => makeCallback({ name: "lambda" })).toThrow(/early_stopping, reduce_lr_on_plateau, terminate_on_nan/);
});
