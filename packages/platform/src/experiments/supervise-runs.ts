import { errorCatalogue, type RunEvent } from "@modelyard/contracts";
import { type Clock, failpoint, type Logger, PlatformError } from "../foundation/index.ts";
import { crashesMax, type RunChange, type RunReason, type StoredRun } from "./run.ts";
import type { RunEngine, RunExit } from "./run-engine.ts";
import type { NewRunEvent, OpenRunFolder } from "./run-folder.ts";
import type { RunStore } from "./run-store.ts";
import type { TrainedModel } from "./trained-model.ts";

/** A run that ended well, told before it counts as succeeded. */
export interface RunSucceeded {
  readonly run: StoredRun;
  readonly trained: TrainedModel;
}

/** What supervising needs. */
export interface SuperviseDependencies {
  readonly runs: RunStore;
  readonly engine: RunEngine;
  readonly openFolder: OpenRunFolder;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly maxConcurrentRuns: number;
  /** This process among those that might take runs. */
  readonly owner: string;
  /** Registers what a run made; must be safe to repeat. */
  readonly register: (event: RunSucceeded) => Promise<{ readonly model: string; readonly version: number }>;
}

const crashedCode = "trainer-crashed";
const leaseMs = 30_000;
const turnEveryMs = 250;

/** What the events of a run add up to. */
export const summarizeEvents = (events: readonly RunEvent[]): RunChange => {
  const last = <Type extends RunEvent["type"]>(...types: readonly Type[]) =>
    events.findLast((event): event is Extract<RunEvent, { type: Type }> =>
      (types as readonly string[]).includes(event.type),
    );
  const step = last("step");
  const figures = last("step", "epoch");
  const evaluation = last("evaluation")?.evaluation;
  return {
    ...(step === undefined
      ? {}
      : {
          progress: {
            epoch: step.epoch,
            epochs: last("started")?.epochs ?? 0,
            step: step.step,
            stepsPerEpoch: step.stepsPerEpoch,
          },
        }),
    ...(figures === undefined ? {} : { metrics: figures.metrics }),
    ...(evaluation === undefined ? {} : { evaluation }),
  };
};

const crashReason = (exit: RunExit): RunReason => {
  const how = exit.signal === null ? `with exit code ${exit.code ?? "none"}` : `by ${exit.signal}`;
  return {
    code: crashedCode,
    detail: `The training process ended ${how}, ${crashesMax} times without a new checkpoint. Resume it, or look at its log.`,
  };
};

/** Crashes since the run last got anywhere: wrote a checkpoint, or was resumed by hand. */
const crashesInVain = (events: readonly RunEvent[]): number => {
  const isCrash = (event: RunEvent): boolean => event.type === "state" && event.reason?.code === crashedCode;
  const gotSomewhere = (event: RunEvent): boolean =>
    event.type === "checkpoint" || (event.type === "state" && event.state === "queued" && event.reason === null);
  return events.slice(events.findLastIndex(gotSomewhere) + 1).filter(isCrash).length;
};

/**
 * Brings queued runs to training processes and ended processes to results, one turn at a time.
 * Whatever a turn did not finish because this process died, the next process's turns do: every step can be repeated.
 */
export class RunSupervisor implements AsyncDisposable {
  readonly #dependencies: SuperviseDependencies;
  readonly #timer: NodeJS.Timeout;
  readonly #stopListening: () => void;
  /** Canceled runs whose end this process has asked for. */
  readonly #askedToEnd = new Set<string>();
  #turn: Promise<void> | null = null;
  #again = false;
  #closed = false;

  constructor(dependencies: SuperviseDependencies) {
    this.#dependencies = dependencies;
    this.#stopListening = dependencies.engine.onChange(() => this.wake());
    this.#timer = setInterval(() => this.wake(), turnEveryMs);
  }

  /** Has a turn made soon; turns never overlap. */
  wake(): void {
    if (this.#closed) return;
    this.#again = true;
    this.#turn ??= this.#work().finally(() => {
      this.#turn = null;
      if (this.#again) this.wake();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#stopListening();
    await this.#turn;
  }

  async #work(): Promise<void> {
    this.#again = false;
    try {
      await this.#makeTurn();
    } catch (error) {
      this.#dependencies.logger.error({ error }, "supervising the runs failed; the next turn tries again");
    }
  }

  async #makeTurn(): Promise<void> {
    const { runs, engine, clock, owner } = this.#dependencies;
    const nowMs = clock.nowMs();
    const lease = { owner, nowMs, untilMs: nowMs + leaseMs };
    const observed = new Map((await engine.observe()).map((process) => [process.runId, process.exit]));
    const going: string[] = [];
    for (const run of await runs.activeRuns()) {
      const exit = observed.get(run.id);
      if (exit === null) {
        going.push(run.id);
        await this.#endCanceled(run);
      } else if (await this.#finish(run, exit)) continue;
    }
    await runs.renewLeases(lease);
    while (going.length < this.#dependencies.maxConcurrentRuns) {
      const run = await runs.claimRun(lease);
      if (run === null) break;
      failpoint("run.claimed");
      await (await this.#dependencies.openFolder(run.id)).clearResult();
      // The last attempt's end must be forgotten before the next can begin under the same name.
      await engine.apply(going);
      going.push(run.id);
    }
    await engine.apply(going);
  }

  /** Whoever took the word to cancel may have died before the training heard of it. */
  async #endCanceled(run: StoredRun): Promise<void> {
    if (run.state !== "canceling" || this.#askedToEnd.has(run.id)) return;
    this.#askedToEnd.add(run.id);
    await this.#dependencies.engine.end(run.id, "gracefully");
  }

  /** Takes a run whose process is gone to its next state. */
  async #finish(run: StoredRun, exit: RunExit | undefined): Promise<boolean> {
    this.#askedToEnd.delete(run.id);
    const folder = await this.#dependencies.openFolder(run.id);
    await folder.sweep();
    const result = await folder.readResult();
    const events = await folder.eventsAfter(0);
    const summary = summarizeEvents(events);
    if (result?.outcome === "succeeded") {
      return this.#register(run, { trained: result.trained, summary });
    }
    // A trainer that was ended with the whole platform says `canceled` though nobody canceled the run.
    if (result?.outcome === "canceled" && run.state === "running") return this.#tryAgain(run, undefined);
    if (result !== null) return this.#end(run, { ...summary, state: result.outcome, reason: result.reason });
    if (run.state === "canceling") {
      const detail = "The run was ended by force; it can be resumed from its last checkpoint.";
      return this.#end(run, { ...summary, state: "canceled", reason: { code: "canceled", detail } });
    }
    if (exit !== undefined && crashesInVain(events) + 1 >= crashesMax) {
      return this.#end(run, { ...summary, state: "failed", reason: crashReason(exit) });
    }
    return this.#tryAgain(run, exit);
  }

  /** Makes a version of what was trained; where that is refused, the run says why and holds up no other. */
  async #register(
    run: StoredRun,
    { trained, summary }: { readonly trained: TrainedModel; readonly summary: RunChange },
  ): Promise<boolean> {
    try {
      const registered = await this.#dependencies.register({ run, trained });
      failpoint("run.registered");
      const event: NewRunEvent = { type: "registered", ...registered };
      return await this.#end(run, { ...summary, state: "succeeded", reason: null, registered }, [event]);
    } catch (error) {
      if (!(error instanceof PlatformError) || errorCatalogue[error.code].retryable) throw error;
      return this.#end(run, { ...summary, state: "failed", reason: { code: error.code, detail: error.message } });
    }
  }

  async #tryAgain(run: StoredRun, exit: RunExit | undefined): Promise<boolean> {
    const { runs, clock, openFolder, logger } = this.#dependencies;
    const how = exit === undefined ? "" : ` (${exit.signal ?? `exit code ${exit.code ?? "none"}`})`;
    const reason = exit === undefined ? null : { code: crashedCode, detail: `The training process ended${how}.` };
    logger.warn({ run: run.id, exit }, "a training process is gone; the run goes on from its last checkpoint");
    const folder = await openFolder(run.id);
    const message = `The training process ended unexpectedly${how}; the run goes on from its last checkpoint.`;
    await folder.append(
      [
        { type: "log", level: "warning", message },
        { type: "state", state: "queued", reason },
      ],
      clock.nowMs(),
    );
    return (await runs.changeRun(run.workspaceId, run.id, { from: [run.state], to: { state: "queued" } })) !== null;
  }

  async #end(run: StoredRun, to: RunChange, events: readonly NewRunEvent[] = []): Promise<boolean> {
    const { runs, clock, openFolder } = this.#dependencies;
    const { state = run.state, reason = null } = to;
    const endedAtMs = clock.nowMs();
    const folder = await openFolder(run.id);
    const told = (await folder.eventsAfter(0)).findLast(({ type }) => type === "state");
    // A process that died between the two steps has told it already.
    if (told?.type !== "state" || told.state !== state) {
      await folder.append([...events, { type: "state", state, reason }], endedAtMs);
    }
    failpoint("run.ended");
    return (await runs.changeRun(run.workspaceId, run.id, { from: [run.state], to: { ...to, endedAtMs } })) !== null;
  }
}
