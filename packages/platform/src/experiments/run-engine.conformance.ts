import { describe, expect, it } from "vitest";
import { untilObserved } from "../../../../tests/kit/until-observed.ts";
import { newIdentifier } from "../foundation/index.ts";
import type { RunEngine, RunExit } from "./run-engine.ts";

/** What the training processes of a subject do: go on until they are asked to end, or end by themselves at once. */
export type TrainerBehaviour = "works" | "ends";

/** An engine to test, with nothing running. */
export interface RunEngineSubject extends AsyncDisposable {
  readonly engine: RunEngine;
  /** With which code a process of the behaviour `ends` ends. */
  readonly exitCode: number;
}

type Observed = Awaited<ReturnType<RunEngine["observe"]>>;

const exitOf = (runs: Observed, id: string): RunExit | null | undefined => runs.find(({ runId }) => runId === id)?.exit;
const newRun = (): string => newIdentifier("run", 1_700_000_000_000);

/** What every driver of the port must do, tried with real processes. */
export const runEngineConformance = (
  driver: string,
  open: (behaviour: TrainerBehaviour) => Promise<RunEngineSubject>,
): void => {
  describe(`RunEngine: ${driver}`, () => {
    it("runs what is named, once, however often it is named", async () => {
      await using subject = await open("works");
      const [a, b] = [newRun(), newRun()];
      await subject.engine.apply([a, b]);
      await subject.engine.apply([b, a]);
      const runs = await untilObserved(subject.engine, (all) => all.length === 2);
      expect(runs.map(({ runId }) => runId).toSorted()).toEqual([a, b].toSorted());
      expect(runs.every(({ exit }) => exit === null)).toBe(true);
    });

    it("shows how a run ended until it is no longer named; it does not start again by itself", async () => {
      await using subject = await open("ends");
      const run = newRun();
      await subject.engine.apply([run]);
      const runs = await untilObserved(subject.engine, (all) => exitOf(all, run) !== null && all.length > 0);
      expect(exitOf(runs, run)).toMatchObject({ runId: run, code: subject.exitCode, signal: null });
      await subject.engine.apply([run]);
      expect(exitOf(await subject.engine.observe(), run)).toMatchObject({ code: subject.exitCode });
      await subject.engine.apply([]);
      expect(await untilObserved(subject.engine, (all) => all.length === 0)).toEqual([]);
    });

    it("starts a run anew when it is named again after it was forgotten", async () => {
      await using subject = await open("ends");
      const run = newRun();
      const ends = (all: Observed): boolean => (exitOf(all, run) ?? null) !== null;
      await subject.engine.apply([run]);
      await untilObserved(subject.engine, ends);
      await subject.engine.apply([]);
      await subject.engine.apply([run]);
      expect(exitOf(await untilObserved(subject.engine, ends), run)).toMatchObject({ code: subject.exitCode });
    });

    it("ends what is no longer named", async () => {
      await using subject = await open("works");
      const [a, b] = [newRun(), newRun()];
      await subject.engine.apply([a, b]);
      await untilObserved(subject.engine, (all) => all.length === 2);
      await subject.engine.apply([b]);
      const left = await untilObserved(subject.engine, (all) => all.length === 1);
      expect(left).toEqual([{ runId: b, exit: null }]);
    });

    it("ends a run at once when that is asked, and ignores runs that it does not know", async () => {
      await using subject = await open("works");
      const run = newRun();
      await subject.engine.apply([run]);
      await untilObserved(subject.engine, (all) => all.length === 1);
      await subject.engine.end(newRun(), "hard");
      await subject.engine.end(run, "hard");
      const runs = await untilObserved(subject.engine, (all) => (exitOf(all, run) ?? null) !== null);
      expect(exitOf(runs, run)).toMatchObject({ code: null, signal: "SIGKILL" });
    });
  });
};
