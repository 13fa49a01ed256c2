import type { LearnerState } from "../state.ts";
import { type Callback, type Direction, type Logs, watch } from "./callback.ts";

/** Options of {@link modelCheckpoint}. */
export interface ModelCheckpointOptions {
  /** Saves inside epochs too, after every so many steps; only at the end of epochs by default. */
  readonly everySteps?: number | undefined;
  /** Saves only epochs that are better than all before; default false. */
  readonly saveBestOnly?: boolean | undefined;
  /** Metric that says what is better; default `val_loss`. */
  readonly monitor?: string | undefined;
  /** Default: `max` for accuracies and their like, else `min`. */
  readonly mode?: Direction | undefined;
  /** What the first epoch must be better than; default anything. */
  readonly initialValueThreshold?: number | undefined;
}

/** What a saved state is of: epochs and steps count from 1. */
export interface SavedAt {
  readonly epoch: number;
  readonly logs: Logs;
}

/**
 * Hands on the whole state after every epoch, after the best ones, or after every so many steps: the caller writes it
 * where it likes. Source: keras/src/callbacks/model_checkpoint.py.
 */
export const modelCheckpoint = (
  save: (state: LearnerState, at: SavedAt) => void | Promise<void>,
  options: ModelCheckpointOptions = {},
): Callback => {
  const { everySteps, saveBestOnly = false, monitor = "val_loss" } = options;
  const watched = watch("modelCheckpoint", { monitor, mode: options.mode });
  let best = options.initialValueThreshold ?? null;
  let due = true;
  return {
    name: "model_checkpoint",
    onEpochEnd: ({ logs }) => {
      if (!saveBestOnly) return;
      const value = watched.valueIn(logs);
      due = watched.isBetter(value, best, 0);
      if (due) best = value;
    },
    onEpochSettled: async (at, control) => {
      if (due) await save(control.state(), at);
    },
    ...(everySteps === undefined
      ? {}
      : {
          onStepSettled: (at, control) =>
            at.step % everySteps === 0 && at.step < at.stepsPerEpoch ? save(control.state(), at) : undefined,
        }),
    state: () => ({ best }),
    restore: (saved) => {
      ({ best } = saved as { best: number | null });
    },
  };
};
