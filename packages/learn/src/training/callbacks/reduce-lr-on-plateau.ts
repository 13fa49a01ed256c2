import { type Callback, type Direction, type TrainingControl, watch } from "./callback.ts";

/** Options of {@link reduceLrOnPlateau}. */
export interface ReduceLrOptions {
  /** Default `val_loss`. */
  readonly monitor?: string | undefined;
  /** Default: `max` for accuracies and their like, else `min`. */
  readonly mode?: Direction | undefined;
  /** Factor of each reduction, below 1; default 0.1. */
  readonly factor?: number | undefined;
  /** Epochs without a better value before a reduction; default 10. */
  readonly patience?: number | undefined;
  /** Smallest change that counts as better; default 1e-4. */
  readonly minDelta?: number | undefined;
  /** Epochs to wait after a reduction; default 0. */
  readonly cooldown?: number | undefined;
  /** Smallest rate; default 0. */
  readonly minLr?: number | undefined;
}

interface PlateauState {
  best: number | null;
  wait: number;
  cooldown: number;
}

/** Makes the learning rate smaller when a metric stays. Source: keras/src/callbacks/reduce_lr_on_plateau.py. */
export const reduceLrOnPlateau = (options: ReduceLrOptions = {}): Callback => {
  const { monitor = "val_loss", factor = 0.1, patience = 10, minDelta = 1e-4, minLr = 0 } = options;
  const watched = watch("reduceLrOnPlateau", { monitor, mode: options.mode });
  let state: PlateauState = { best: null, wait: 0, cooldown: 0 };
  const reduce = (control: TrainingControl): void => {
    if (control.learningRate <= minLr) return;
    control.learningRate = Math.max(control.learningRate * factor, minLr);
    state.cooldown = options.cooldown ?? 0;
    state.wait = 0;
  };
  return {
    name: "reduce_lr_on_plateau",
    onEpochEnd: ({ logs }, control) => {
      const value = watched.valueIn(logs);
      if (state.cooldown > 0) {
        state.cooldown -= 1;
        state.wait = 0;
      }
      if (watched.isBetter(value, state.best, minDelta)) {
        state.best = value;
        state.wait = 0;
      } else if (state.cooldown === 0) {
        state.wait += 1;
        if (state.wait >= patience) reduce(control);
      }
    },
    state: () => state,
    restore: (saved) => {
      state = { ...(saved as PlateauState) };
    },
  };
};
