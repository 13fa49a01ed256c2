import { StartRun } from "@modelyard/contracts";
import { describe, expect, it } from "vitest";
import { digestOf, newIdentifier } from "../foundation/index.ts";
import type { NewRunEvent, OpenRunFolder } from "./run-folder.ts";

/** A driver to test, with no run yet. */
export interface RunFolderSubject extends AsyncDisposable {
  readonly open: OpenRunFolder;
  /** Leaves what a writer that was killed in the middle of an event leaves. */
  readonly tearJournal: (runId: string) => Promise<void>;
}

const nowMs = 1_700_000_000_000;
const log = (message: string): NewRunEvent => ({ type: "log", level: "info", message });
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

/** What every driver of the port must do. */
export const runFolderConformance = (driver: string, open: () => Promise<RunFolderSubject>): void => {
  describe(`RunFolder: ${driver}`, () => {
    it("gives the specification back as it was laid down, to whoever opens the folder", async () => {
      await using subject = await open();
      const runId = newIdentifier("run", nowMs);
      const definition = { kind: "sequential", layers: [{ layer: "Input", shape: [2] }] };
      const spec = {
        runId,
        request: StartRun.parse({ experiment: "iris", dataset: "iris@1", definition }),
        dataset: { reference: "iris@1", digest: digestOf("iris") },
        codeVersion: "0.1.0",
      };
      await (await subject.open(runId)).writeSpec(spec);
      expect(await (await subject.open(runId)).readSpec()).toEqual(spec);
    });

    it("numbers events from 1 without a gap, whoever appends, and gives those after a number", async () => {
      await using subject = await open();
      const runId = newIdentifier("run", nowMs);
      const [one, other] = [await subject.open(runId), await subject.open(runId)];
      expect(await one.eventsAfter(0)).toEqual([]);
      await one.append([log("a"), log("b")], nowMs);
      await other.append([log("c")], nowMs + 1);
      await one.append([log("d")], nowMs + 2);
      const events = await other.eventsAfter(0);
      expect(events.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4]);
      expect(events[0]).toMatchObject({ type: "log", message: "a", time: new Date(nowMs).toISOString() });
      expect(await one.eventsAfter(3)).toMatchObject([{ sequence: 4, message: "d" }]);
      expect(await one.eventsAfter(4)).toEqual([]);
    });

    it("never shows an event that was torn, and goes on after the last whole one", async () => {
      await using subject = await open();
      const runId = newIdentifier("run", nowMs);
      await (await subject.open(runId)).append([log("a")], nowMs);
      await subject.tearJournal(runId);
      const folder = await subject.open(runId);
      expect(await folder.eventsAfter(0)).toMatchObject([{ sequence: 1 }]);
      await folder.append([log("b")], nowMs);
      expect(await folder.eventsAfter(0)).toMatchObject([
        { sequence: 1, message: "a" },
        { sequence: 2, message: "b" },
      ]);
    });

    it("keeps the newest checkpoints whole, newest first", async () => {
      await using subject = await open();
      const folder = await subject.open(newIdentifier("run", nowMs));
      expect(await folder.hasCheckpoint()).toBe(false);
      expect(await folder.checkpoints()).toEqual([]);
      for (const step of [1, 2, 3, 4]) await folder.writeCheckpoint(`00000${step}`, bytes(step, 255));
      await folder.writeCheckpoint("000004", bytes(44));
      const kept = await folder.checkpoints();
      expect(kept[0]?.name).toContain("000004");
      expect(Uint8Array.from(kept[0]?.bytes ?? [])).toEqual(bytes(44));
      expect(kept.length).toBeGreaterThan(1);
      expect(kept.length).toBeLessThan(4);
      expect(await folder.hasCheckpoint()).toBe(true);
    });

    it("drops the newest checkpoint and keeps the one before it", async () => {
      await using subject = await open();
      const folder = await subject.open(newIdentifier("run", nowMs));
      await folder.dropNewestCheckpoint();
      await folder.writeCheckpoint("000001", bytes(1));
      await folder.writeCheckpoint("000002", bytes(2));
      await folder.dropNewestCheckpoint();
      const kept = await folder.checkpoints();
      expect(kept).toHaveLength(1);
      expect(kept[0]?.name).toContain("000001");
    });

    it("holds one result, the last, until it is cleared", async () => {
      await using subject = await open();
      const folder = await subject.open(newIdentifier("run", nowMs));
      expect(await folder.readResult()).toBeNull();
      const result = { outcome: "failed", reason: { code: "loss-not-finite", detail: "at step 3" } } as const;
      await folder.writeResult({ ...result, outcome: "canceled" });
      await folder.writeResult(result);
      expect(await folder.readResult()).toEqual(result);
      await folder.clearResult();
      await folder.clearResult();
      expect(await folder.readResult()).toBeNull();
    });

    it("loses nothing whole to a sweep", async () => {
      await using subject = await open();
      const folder = await subject.open(newIdentifier("run", nowMs));
      await folder.append([log("a")], nowMs);
      await folder.writeCheckpoint("000001", bytes(1));
      await folder.sweep();
      expect(await folder.eventsAfter(0)).toHaveLength(1);
      expect(await folder.checkpoints()).toHaveLength(1);
    });

    it("opens nothing under a name that is no run's", async () => {
      await using subject = await open();
      for (const name of ["../etc", "run_", "", `${newIdentifier("run", nowMs)}/..`]) {
        await expect(subject.open(name)).rejects.toMatchObject({ code: "not-found" });
      }
    });
  });
};
