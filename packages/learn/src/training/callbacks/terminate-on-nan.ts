import type { Callback } from "./callback.ts";

/**
 * Ends a training at its first loss that is NaN or infinite, keeping the weights before that step; without it such a
 * training fails with `loss-not-finite`. Source: keras/src/callbacks/terminate_on_nan.py.
 */
export const terminateOnNan = (): Callback => ({
  name: "terminate_on_nan",
  onLossNotFinite: (reason, control) => control.stop(reason),
});
