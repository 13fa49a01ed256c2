import type { LearnerState } from "../state.ts";
import type { Callback, EpochReport, EpochStart, StepReport, TrainingControl } from "./callback.ts";

/** A copy that later changes do not reach. */
const copied = (state: unknown): unknown =>
  state === undefined ? null : (JSON.parse(JSON.stringify(state)) as unknown);

/** The arrays of one callback, by the names it gave them. */
const keptBy = ({ kept }: LearnerState, index: number): Record<string, Float32Array> => {
  const prefix = `${index}/`;
  const own = Object.entries(kept).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(own.map(([name, values]) => [name.slice(prefix.length), values]));
};

/** The callbacks of a training, told in their order; what they keep is saved and put back together. */
export class CallbackList {
  readonly #callbacks: readonly Callback[];

  constructor(callbacks: readonly Callback[]) {
    this.#callbacks = callbacks;
  }

  async trainBegin(control: TrainingControl): Promise<void> {
    for (const callback of this.#callbacks) await callback.onTrainBegin?.(control);
  }

  async epochBegin(start: EpochStart, control: TrainingControl): Promise<void> {
    for (const callback of this.#callbacks) await callback.onEpochBegin?.(start, control);
  }

  /** A promise only if a callback gave one: most return nothing, and a step must not pay for a turn of the queue. */
  stepEnd(report: StepReport, control: TrainingControl): Promise<void> | undefined {
    const settle = (): Promise<void> | undefined => this.#each((callback) => callback.onStepSettled?.(report, control));
    const pending = this.#each((callback) => callback.onStepEnd?.(report, control));
    return pending === undefined ? settle() : pending.then(settle);
  }

  async epochEnd(report: EpochReport, control: TrainingControl): Promise<void> {
    for (const callback of this.#callbacks) await callback.onEpochEnd?.(report, control);
    for (const callback of this.#callbacks) await callback.onEpochSettled?.(report, control);
  }

  /** Whether a callback took it that the loss is not finite. */
  lossNotFinite(reason: string, control: TrainingControl): boolean {
    const takers = this.#callbacks.filter((callback) => callback.onLossNotFinite !== undefined);
    for (const callback of takers) callback.onLossNotFinite?.(reason, control);
    return takers.length > 0;
  }

  trainEnd(control: TrainingControl): void {
    for (const callback of this.#callbacks) callback.onTrainEnd?.(control);
  }

  /** What all callbacks keep. */
  state(): Pick<LearnerState, "callbacks" | "kept"> {
    const kept = this.#callbacks.flatMap((callback, index) =>
      Object.entries(callback.arrays?.() ?? {}).map(([name, values]) => [`${index}/${name}`, values] as const),
    );
    return {
      callbacks: this.#callbacks.map((callback) => copied(callback.state?.())),
      kept: Object.fromEntries(kept),
    };
  }

  restore(from: LearnerState): void {
    for (const [index, callback] of this.#callbacks.entries()) {
      const state = from.callbacks[index];
      if (state !== undefined && state !== null) callback.restore?.(state, keptBy(from, index));
    }
  }

  /** Tells each callback after the one before it is done; without a turn of the queue while none is asynchronous. */
  #each(tell: (callback: Callback) => void | Promise<void>): Promise<void> | undefined {
    for (const [index, callback] of this.#callbacks.entries()) {
      const pending = tell(callback);
      if (pending !== undefined) return this.#rest(pending, index + 1, tell);
    }
    return undefined;
  }

  async #rest(pending: Promise<void>, from: number, tell: (callback: Callback) => void | Promise<void>): Promise<void> {
    await pending;
    for (const callback of this.#callbacks.slice(from)) await tell(callback);
  }
}
