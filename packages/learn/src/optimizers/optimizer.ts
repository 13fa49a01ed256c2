import type { OptimizerConfig } from "./config.ts";
import type { TrainingMemory } from "./memory.ts";
import { learningRateAt } from "./schedules.ts";

/** What an optimizer must keep to go on exactly: slots live in the memory and are saved with it. */
export interface OptimizerState {
  /** Updates made. */
  readonly iterations: number;
  /** Learning rate set by hand or by a callback, which replaces the configured one; `null` when none was. */
  readonly learningRateOverride: number | null;
}

/** Updates all trainable parameters of a memory from its gradients. */
export interface Optimizer {
  readonly config: OptimizerConfig;
  /** Updates made. */
  readonly iterations: number;
  /** Rate of the next update. */
  learningRate: number;
  /** Clips the gradients, decays the weights, makes one update. */
  step(): void;
  state(): OptimizerState;
  restore(state: OptimizerState): void;
}

const defaultRates = { sgd: 0.01, rmsprop: 0.001, adam: 0.001, adamw: 0.001 } as const;

/** Arrays as large as all parameters that an optimizer keeps. */
export const slotsOf = (config: OptimizerConfig): number => {
  switch (config.name) {
    case "sgd":
      return config.momentum ? 1 : 0;
    case "rmsprop":
      return 1 + (config.centered ? 1 : 0) + (config.momentum ? 1 : 0);
    case "adam":
    case "adamw":
      return config.amsgrad ? 3 : 2;
  }
};

/** Clips gradients as configured; an Euclidean norm above the limit is scaled down to it. */
const clip = (config: OptimizerConfig, memory: TrainingMemory): void => {
  const { kernels, gradientsPointer, regionLength } = memory;
  if (config.clipvalue !== undefined) kernels.clampValue(gradientsPointer, regionLength, config.clipvalue);
  if (config.globalClipnorm !== undefined) {
    const norm = Math.sqrt(kernels.sumOfSquares(gradientsPointer, regionLength));
    if (norm > config.globalClipnorm) kernels.scale(gradientsPointer, regionLength, config.globalClipnorm / norm);
  }
  if (config.clipnorm === undefined) return;
  for (const { offset, length } of memory.places) {
    const pointer = gradientsPointer + offset * 4;
    const norm = Math.sqrt(kernels.sumOfSquares(pointer, length));
    if (norm > config.clipnorm) kernels.scale(pointer, length, config.clipnorm / norm);
  }
};

interface Update {
  readonly memory: TrainingMemory;
  readonly rate: number;
  /** Factor that weight decay leaves of each weight. */
  readonly keep: number;
  /** Number of this update, from 1. */
  readonly iteration: number;
}

const updateSgd = (config: Extract<OptimizerConfig, { name: "sgd" }>, update: Update): void => {
  const { memory, rate, keep } = update;
  const { kernels, weightsPointer: w, gradientsPointer: g, regionLength: n } = memory;
  if (!config.momentum) kernels.sgd(w, g, n, rate, keep);
  else kernels.sgdMomentum(w, g, memory.slotPointer(0), n, rate, keep, config.momentum, config.nesterov ?? false);
};

const updateRmsprop = (config: Extract<OptimizerConfig, { name: "rmsprop" }>, update: Update): void => {
  const { memory, rate, keep } = update;
  const { kernels, weightsPointer: w, gradientsPointer: g, regionLength: n } = memory;
  const { rho = 0.9, epsilon = 1e-7, momentum = 0, centered = false } = config;
  const v = memory.slotPointer(0);
  if (!centered && !momentum) {
    kernels.rmsprop(w, g, v, n, rate, keep, rho, epsilon);
    return;
  }
  const mean = centered ? memory.slotPointer(1) : 0;
  const m = momentum ? memory.slotPointer(centered ? 2 : 1) : 0;
  kernels.rmspropGeneral(w, g, v, mean, m, n, rate, keep, rho, epsilon, momentum);
};

const updateAdam = (config: Extract<OptimizerConfig, { name: "adam" | "adamw" }>, update: Update): void => {
  const { memory, rate, keep, iteration } = update;
  const { kernels, weightsPointer: w, gradientsPointer: g, regionLength: n } = memory;
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7 } = config;
  const alpha = (rate * Math.sqrt(1 - beta2 ** iteration)) / (1 - beta1 ** iteration);
  const [m, v] = [memory.slotPointer(0), memory.slotPointer(1)];
  if (config.amsgrad) {
    kernels.adamAmsgrad(w, g, m, v, memory.slotPointer(2), n, alpha, keep, 1 - beta1, 1 - beta2, epsilon);
  } else {
    kernels.adam(w, g, m, v, n, alpha, keep, 1 - beta1, 1 - beta2, epsilon);
  }
};

const apply = (config: OptimizerConfig, update: Update): void => {
  switch (config.name) {
    case "sgd":
      updateSgd(config, update);
      return;
    case "rmsprop":
      updateRmsprop(config, update);
      return;
    case "adam":
    case "adamw":
      updateAdam(config, update);
  }
};

/**
 * Makes an optimizer over a memory whose layout has `slotsOf(config)` slots.
 * Order of a step: clip, decay weights, update (Keras 3, keras/src/optimizers/base_optimizer.py).
 */
export const createOptimizer = (config: OptimizerConfig, memory: TrainingMemory): Optimizer => {
  let iterations = 0;
  let override: number | null = null;
  const weightDecay = config.weightDecay ?? (config.name === "adamw" ? 0.004 : 0);
  const configuredRate = (): number => {
    const rate = config.learningRate ?? defaultRates[config.name];
    return typeof rate === "number" ? rate : learningRateAt(rate, iterations);
  };
  return {
    config,
    get iterations() {
      return iterations;
    },
    get learningRate() {
      return override ?? configuredRate();
    },
    set learningRate(rate: number) {
      override = rate;
    },
    step() {
      const rate = this.learningRate;
      clip(config, memory);
      iterations += 1;
      apply(config, { memory, rate, keep: 1 - rate * weightDecay, iteration: iterations });
    },
    state: () => ({ iterations, learningRateOverride: override }),
    restore: (state) => {
      iterations = state.iterations;
      override = state.learningRateOverride;
    },
  };
};
