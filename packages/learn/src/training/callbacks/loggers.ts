import type { Callback, StepReport } from "./callback.ts";

/**
 * Writes one CSV line an epoch, a header first.
 * @param sink Takes each line with its line end.
 * @param options `separator` stands between the columns; a comma by default.
 */
export const csvLogger = (sink: (line: string) => void, options: { readonly separator?: string } = {}): Callback => {
  const { separator = "," } = options;
  let headed = false;
  return {
    name: "csv_logger",
    onEpochEnd: ({ epoch, logs, learningRate }) => {
      const names = Object.keys(logs);
      if (!headed) sink(`${["epoch", ...names, "learning_rate"].join(separator)}\n`);
      headed = true;
      sink(`${[epoch, ...names.map((name) => logs[name]), learningRate].join(separator)}\n`);
    },
    state: () => headed,
    restore: (saved) => {
      headed = saved === true;
    },
  };
};

/** Calls back after every step, for bars and curves. */
export const progress = (report: (step: StepReport) => void): Callback => ({ name: "progress", onStepEnd: report });
