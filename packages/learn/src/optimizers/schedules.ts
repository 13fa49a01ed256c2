import { LearnError } from "../errors.ts";

/** A learning rate that depends on the step, as data; names and formulas follow keras.optimizers.schedules. */
export type Schedule =
  | {
      readonly schedule: "exponential_decay";
      readonly initialLearningRate: number;
      readonly decaySteps: number;
      readonly decayRate: number;
      readonly staircase?: boolean | undefined;
    }
  | {
      readonly schedule: "cosine_decay";
      readonly initialLearningRate: number;
      readonly decaySteps: number;
      readonly alpha?: number | undefined;
      readonly warmupTarget?: number | undefined;
      readonly warmupSteps?: number | undefined;
    }
  | {
      readonly schedule: "cosine_decay_restarts";
      readonly initialLearningRate: number;
      readonly firstDecaySteps: number;
      readonly tMul?: number | undefined;
      readonly mMul?: number | undefined;
      readonly alpha?: number | undefined;
    }
  | {
      readonly schedule: "piecewise_constant";
      /** Steps after which the next value holds; ascending. */
      readonly boundaries: readonly number[];
      /** One more than boundaries. */
      readonly values: readonly number[];
    }
  | {
      readonly schedule: "polynomial_decay";
      readonly initialLearningRate: number;
      readonly decaySteps: number;
      readonly endLearningRate?: number | undefined;
      readonly power?: number | undefined;
      readonly cycle?: boolean | undefined;
    }
  | {
      readonly schedule: "inverse_time_decay";
      readonly initialLearningRate: number;
      readonly decaySteps: number;
      readonly decayRate: number;
      readonly staircase?: boolean | undefined;
    }
  | {
      readonly schedule: "one_cycle";
      /** Reached after `risingShare` of the steps. */
      readonly maxLearningRate: number;
      readonly totalSteps: number;
      /** 0.3 by default. */
      readonly risingShare?: number | undefined;
      /** The first rate is the largest divided by it; 25 by default. */
      readonly initialDivisor?: number | undefined;
      /** The last rate is the first divided by it; 1e4 by default. */
      readonly finalDivisor?: number | undefined;
      /** `cosine` by default. */
      readonly annealing?: "cosine" | "linear" | undefined;
    };

type Of<Name extends Schedule["schedule"]> = Extract<Schedule, { schedule: Name }>;

const progressOf = (
  step: number,
  config: { readonly decaySteps: number; readonly staircase?: boolean | undefined },
): number => {
  const progress = step / config.decaySteps;
  return config.staircase ? Math.floor(progress) : progress;
};

const cosine = (config: Of<"cosine_decay">, step: number): number => {
  const { initialLearningRate, warmupTarget, decaySteps, alpha = 0 } = config;
  const warmupSteps = warmupTarget === undefined ? 0 : (config.warmupSteps ?? 0);
  const top = warmupTarget ?? initialLearningRate;
  if (step < warmupSteps) return initialLearningRate + ((top - initialLearningRate) * step) / warmupSteps;
  const progress = Math.min(step - warmupSteps, decaySteps) / decaySteps;
  return top * ((1 - alpha) * 0.5 * (1 + Math.cos(Math.PI * progress)) + alpha);
};

const cosineRestarts = (config: Of<"cosine_decay_restarts">, step: number): number => {
  const { initialLearningRate, firstDecaySteps, tMul = 2, mMul = 1, alpha = 0 } = config;
  let progress = step / firstDecaySteps;
  let restarts = 0;
  if (tMul === 1) {
    restarts = Math.floor(progress);
    progress -= restarts;
  } else {
    restarts = Math.floor(Math.log(1 - progress * (1 - tMul)) / Math.log(tMul));
    progress = (progress - (1 - tMul ** restarts) / (1 - tMul)) / tMul ** restarts;
  }
  const decayed = 0.5 * mMul ** restarts * (1 + Math.cos(Math.PI * progress));
  return initialLearningRate * ((1 - alpha) * decayed + alpha);
};

const polynomial = (config: Of<"polynomial_decay">, step: number): number => {
  const { initialLearningRate, endLearningRate = 0.0001, power = 1, cycle = false } = config;
  let steps = config.decaySteps;
  let at = Math.min(step, steps);
  if (cycle) {
    at = step;
    steps *= step === 0 ? 1 : Math.ceil(step / steps);
  }
  return (initialLearningRate - endLearningRate) * (1 - at / steps) ** power + endLearningRate;
};

const piecewise = (config: Of<"piecewise_constant">, step: number): number => {
  const index = config.boundaries.findIndex((boundary) => step <= boundary);
  const value = config.values.at(index === -1 ? config.values.length - 1 : index);
  if (value === undefined || config.values.length !== config.boundaries.length + 1) {
    throw new LearnError(
      "optimizer-invalid",
      `A piecewise_constant schedule needs one value more than boundaries, but ${config.values.length} values and ${config.boundaries.length} boundaries came.`,
    );
  }
  return value;
};

/** From one rate up to the largest and down to almost nothing (Smith and Topin 2017), as PyTorch's OneCycleLR does. */
const oneCycle = (config: Of<"one_cycle">, step: number): number => {
  const { maxLearningRate: top, totalSteps, risingShare = 0.3, initialDivisor = 25, finalDivisor = 1e4 } = config;
  const peak = risingShare * totalSteps - 1;
  const end = totalSteps - 1;
  const initial = top / initialDivisor;
  const rising = step <= peak;
  const [from, to] = rising ? [initial, top] : [top, initial / finalDivisor];
  const progress = rising ? step / peak : Math.min((step - peak) / (end - peak), 1);
  if (config.annealing === "linear") return from + (to - from) * progress;
  return to + ((from - to) / 2) * (1 + Math.cos(Math.PI * progress));
};

/**
 * Learning rate of a step.
 * @param step Updates made before, from 0.
 * Source: keras/src/optimizers/schedules/learning_rate_schedule.py; for one_cycle torch/optim/lr_scheduler.py.
 */
export const learningRateAt = (schedule: Schedule, step: number): number => {
  switch (schedule.schedule) {
    case "exponential_decay":
      return schedule.initialLearningRate * schedule.decayRate ** progressOf(step, schedule);
    case "cosine_decay":
      return cosine(schedule, step);
    case "cosine_decay_restarts":
      return cosineRestarts(schedule, step);
    case "piecewise_constant":
      return piecewise(schedule, step);
    case "polynomial_decay":
      return polynomial(schedule, step);
    case "inverse_time_decay":
      return schedule.initialLearningRate / (1 + schedule.decayRate * progressOf(step, schedule));
    case "one_cycle":
      return oneCycle(schedule, step);
  }
};
