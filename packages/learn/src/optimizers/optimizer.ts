import type { OptimizerConfig } from "./config.ts";
import type { TrainingMemory } from "./memory.ts";
import { learningRateAt } from "./schedules.ts";
import { type Span, spansOf } from "./spans.ts";
import { ruleOf } from "./updates.ts";

/** What an optimizer must keep to go on exactly: slots live in the memory and are saved with it. */
export interface OptimizerState {
  /** Steps made; with accumulation each batch is one. */
  readonly iterations: number;
  /** Learning rate set by hand or by a callback, which replaces the configured one; `null` when none was. */
  readonly learningRateOverride: number | null;
}

/** Updates all trainable parameters of a memory from its gradients. */
export interface Optimizer {
  readonly config: OptimizerConfig;
  /** Steps made; with accumulation each batch is one. */
  readonly iterations: number;
  /** Rate of the next update. */
  learningRate: number;
  /** Takes the gradients in: accumulates them, or clips them, decays the weights and makes one update. */
  step(): void;
  /** Ends a training: puts the moving average in the place of the weights, if one is kept. */
  finish(): void;
  state(): OptimizerState;
  restore(state: OptimizerState): void;
}

/** Where the optimizer's arrays lie: its own slots first, then what accumulation and the moving average need. */
const slotPlan = (
  config: OptimizerConfig,
): { readonly accumulated: number; readonly averaged: number; readonly total: number } => {
  const own = ruleOf(config).slots(config);
  const averaged = own + (config.gradientAccumulationSteps === undefined ? 0 : 1);
  return { accumulated: own, averaged, total: averaged + (config.useEma === true ? 1 : 0) };
};

/** Arrays as large as all parameters that an optimizer keeps. */
export const slotsOf = (config: OptimizerConfig): number => slotPlan(config).total;

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

class MemoryOptimizer implements Optimizer {
  readonly config: OptimizerConfig;
  readonly #memory: TrainingMemory;
  readonly #spans: readonly Span[];
  readonly #weightDecay: number;
  readonly #plan: ReturnType<typeof slotPlan>;
  /** Batches an update is made of. */
  readonly #batches: number;
  #iterations = 0;
  #override: number | null = null;

  constructor(config: OptimizerConfig, memory: TrainingMemory) {
    const rule = ruleOf(config);
    this.config = config;
    this.#memory = memory;
    this.#spans = spansOf(memory.places, memory.regionLength, config);
    this.#weightDecay = config.weightDecay ?? rule.defaultDecay ?? 0;
    this.#plan = slotPlan(config);
    this.#batches = config.gradientAccumulationSteps ?? 1;
    const initial = rule.initial?.(config) ?? 0;
    for (let slot = 0; slot < rule.slots(config); slot++) memory.region(memory.slotPointer(slot)).fill(initial);
  }

  get iterations(): number {
    return this.#iterations;
  }

  get learningRate(): number {
    if (this.#override !== null) return this.#override;
    const rate = this.config.learningRate ?? ruleOf(this.config).defaultRate;
    return typeof rate === "number" ? rate : learningRateAt(rate, this.#iterations);
  }

  set learningRate(rate: number) {
    this.#override = rate;
  }

  step(): void {
    const { kernels, gradientsPointer: g, regionLength: n } = this.#memory;
    if (this.#batches === 1) this.#update();
    else {
      const accumulated = this.#memory.slotPointer(this.#plan.accumulated);
      if ((this.#iterations + 1) % this.#batches !== 0) kernels.accumulate(accumulated, g, n);
      else {
        kernels.takeAccumulated(g, accumulated, n, this.#batches);
        this.#update();
      }
    }
    if (this.config.useEma === true) this.#average();
    this.#iterations += 1;
  }

  finish(): void {
    if (this.config.useEma === true && this.#iterations > 0) this.#takeAverage();
  }

  state(): OptimizerState {
    return { iterations: this.#iterations, learningRateOverride: this.#override };
  }

  restore(state: OptimizerState): void {
    this.#iterations = state.iterations;
    this.#override = state.learningRateOverride;
  }

  #update(): void {
    const memory = this.#memory;
    clip(this.config, memory);
    const rule = ruleOf(this.config);
    const rate = this.learningRate;
    const iteration = Math.floor(this.#iterations / this.#batches) + 1;
    for (const { offset, length, rateFactor, decays } of this.#spans) {
      rule.update(this.config, {
        kernels: memory.kernels,
        weights: memory.weightsPointer + offset * 4,
        gradients: memory.gradientsPointer + offset * 4,
        length,
        rate: rate * rateFactor,
        keep: decays ? 1 - rate * rateFactor * this.#weightDecay : 1,
        iteration,
        slot: (index) => memory.slotPointer(index) + offset * 4,
      });
    }
  }

  /** Moves the average towards the weights; it begins as the weights after the first step. */
  #average(): void {
    const { kernels, weightsPointer: w, regionLength: n } = this.#memory;
    const first = Math.floor(this.#iterations / this.#batches) === 0;
    const momentum = first ? 0 : (this.config.emaMomentum ?? 0.99);
    kernels.average(this.#memory.slotPointer(this.#plan.averaged), w, n, momentum);
    const every = this.config.emaOverwriteFrequency;
    if (every !== undefined && (Math.floor(this.#iterations / this.#batches) + 1) % every === 0) this.#takeAverage();
  }

  #takeAverage(): void {
    const memory = this.#memory;
    const averaged = memory.region(memory.slotPointer(this.#plan.averaged));
    memory.region(memory.weightsPointer).set(averaged);
  }
}

/**
 * Makes an optimizer over a memory whose layout has `slotsOf(config)` slots.
 * Order of a step: accumulate, clip, decay weights, update, average (Keras 3, keras/src/optimizers/base_optimizer.py).
 */
export const createOptimizer = (config: OptimizerConfig, memory: TrainingMemory): Optimizer =>
  new MemoryOptimizer(config, memory);
