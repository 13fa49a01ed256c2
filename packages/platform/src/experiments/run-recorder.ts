import type { Callback, LearnerState } from "@modelyard/learn";
import { type Clock, digestOf } from "../foundation/index.ts";
import { awaitRoom } from "./await-room.ts";
import { encodeCheckpoint } from "./checkpoint.ts";
import type { NewRunEvent, RunFolder } from "./run-folder.ts";

const stepEventEveryMs = 100;

/**
 * Writes a training's course into its folder: events in order, checkpoints as whole files.
 * Events queue up here while the training goes on; at a checkpoint it waits until everything is on disk, so that
 * no more than the work since the last one can ever be lost.
 */
export class RunRecorder {
  readonly #folder: RunFolder;
  readonly #clock: Clock;
  readonly #epochsRecorded: number;
  readonly #signal: { readonly aborted: boolean };
  #tail: Promise<void> = Promise.resolve();
  #failure: unknown;
  #stepsSinceCheckpoint = 0;

  /** @param parts.epochsRecorded Epochs that stand in the folder already: made again alike, they are told once. */
  constructor(parts: {
    readonly folder: RunFolder;
    readonly clock: Clock;
    readonly epochsRecorded: number;
    /** Ends the waiting for room on a full disk. */
    readonly signal: { readonly aborted: boolean };
  }) {
    this.#signal = parts.signal;
    this.#folder = parts.folder;
    this.#clock = parts.clock;
    this.#epochsRecorded = parts.epochsRecorded;
  }

  /** Steps that ended well since the newest checkpoint. */
  get stepsSinceCheckpoint(): number {
    return this.#stepsSinceCheckpoint;
  }

  /** Appends an event. */
  record(event: NewRunEvent): void {
    const nowMs = this.#clock.nowMs();
    this.#enqueue(() => this.#folder.append([event], nowMs));
  }

  /** Writes a line of the run's log. */
  log(level: "info" | "warning" | "error", message: string): void {
    this.record({ type: "log", level, message });
  }

  /**
   * Stores a checkpoint, and says so once it is durable.
   * @throws What the first failed write threw, e.g. PlatformError `disk-full`.
   */
  checkpoint(state: LearnerState): Promise<void> {
    const bytes = encodeCheckpoint(state);
    const { epoch, step } = state.position;
    this.#stepsSinceCheckpoint = 0;
    const nowMs = this.#clock.nowMs();
    const name = `${String(epoch).padStart(6, "0")}-${String(step).padStart(9, "0")}`;
    this.#enqueue(async () => {
      await this.#folder.writeCheckpoint(name, bytes);
      await this.#folder.append([{ type: "checkpoint", epoch, step, digest: digestOf(bytes) }], nowMs);
    });
    return this.settled();
  }

  /**
   * Waits until everything is on disk.
   * @throws What the first failed write threw, e.g. PlatformError `disk-full`.
   */
  async settled(): Promise<void> {
    await this.#tail;
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Follows a training: steps a few times a second, every epoch, a checkpoint at its end and every so many steps. */
  callback(options: { readonly batchSize: number; readonly checkpointEverySteps?: number | undefined }): Callback {
    let [lastMs, lastStep, epochStartMs] = [Number.NEGATIVE_INFINITY, 0, this.#clock.monotonicMs()];
    let [windowMs, windowStep] = [epochStartMs, 0];
    return {
      name: "run_recorder",
      onStepEnd: ({ epoch, step, stepsPerEpoch, logs }, control) => {
        this.#stepsSinceCheckpoint++;
        const nowMs = this.#clock.monotonicMs();
        if (step < lastStep || lastStep === 0) [windowMs, windowStep] = [epochStartMs, step - 1];
        lastStep = step;
        if (nowMs - lastMs >= stepEventEveryMs || step === stepsPerEpoch) {
          const seconds = Math.max(nowMs - windowMs, 1) / 1000;
          const samplesPerSecond = ((step - windowStep) * options.batchSize) / seconds;
          this.record({ type: "step", epoch, step, stepsPerEpoch, metrics: { ...logs }, samplesPerSecond });
          lastMs = nowMs;
        }
        const every = options.checkpointEverySteps;
        if (every !== undefined && step % every === 0 && step < stepsPerEpoch) return this.checkpoint(control.state());
      },
      onEpochEnd: ({ epoch, epochs, logs, learningRate }, control) => {
        const nowMs = this.#clock.monotonicMs();
        const durationMs = nowMs - epochStartMs;
        if (epoch > this.#epochsRecorded) {
          this.record({ type: "epoch", epoch, epochs, metrics: { ...logs }, learningRate, durationMs });
        }
        [epochStartMs, lastStep] = [nowMs, 0];
        return this.checkpoint(control.state());
      },
    };
  }

  #enqueue(work: () => Promise<void>): void {
    const withRoom = (): Promise<void> => awaitRoom(work, this.#signal);
    this.#tail = this.#tail.then(withRoom).catch((error: unknown) => {
      this.#failure ??= error;
    });
  }
}
