import { LearnError } from "../../errors.ts";
import type { Callback } from "./callback.ts";

/**
 * Sets the learning rate before each epoch.
 * @param schedule Rate of an epoch, counted from 0 as in Keras, from the rate that holds before it.
 * @throws LearnError `optimizer-invalid` when a rate is no number from 0 on.
 * Source: keras/src/callbacks/learning_rate_scheduler.py.
 */
export const learningRateScheduler = (schedule: (epoch: number, rate: number) => number): Callback => ({
  name: "learning_rate_scheduler",
  onEpochBegin: ({ epoch }, control) => {
    const rate = schedule(epoch - 1, control.learningRate);
    if (!Number.isFinite(rate) || rate < 0) {
      throw new LearnError(
        "optimizer-invalid",
        `The learning rate scheduler gave ${rate} for epoch ${epoch - 1}. A rate is a number from 0 on.`,
      );
    }
    control.learningRate = rate;
  },
});
