import { StartRun } from "@modelyard/contracts";
import { describe, expect, it } from "vitest";
import { newIdentifier } from "../foundation/index.ts";
import type { StoredRun } from "./run.ts";
import type { Lease, RunStore } from "./run-store.ts";

/** A store to test, with two workspaces that exist. */
export interface RunStoreSubject extends AsyncDisposable {
  readonly store: RunStore;
  readonly workspaceIds: readonly [string, string];
}

const startMs = 1_700_000_000_000;

const request = StartRun.parse({
  experiment: "iris",
  dataset: "iris@1",
  definition: { kind: "sequential", layers: [{ layer: "Input", shape: [2] }] },
});

const newRun = (workspaceId: string, createdAtMs = startMs, experiment = "iris"): StoredRun => ({
  id: newIdentifier("run", createdAtMs),
  workspaceId,
  experiment,
  state: "queued",
  reason: null,
  request,
  createdAtMs,
  startedAtMs: null,
  endedAtMs: null,
  attempts: 0,
  progress: null,
  metrics: {},
  evaluation: null,
  registered: null,
});

const lease = (owner: string, nowMs = startMs): Lease => ({ owner, nowMs, untilMs: nowMs + 1000 });

/** What every driver of the port must do. */
export const runStoreConformance = (driver: string, open: () => Promise<RunStoreSubject>): void => {
  describe(`RunStore: ${driver}`, () => {
    it("finds a run again as it was added, in its workspace alone", async () => {
      await using subject = await open();
      const [mine, other] = subject.workspaceIds;
      const run = newRun(mine);
      await subject.store.addRun(run);
      expect(await subject.store.findRun(mine, run.id)).toEqual(run);
      expect(await subject.store.findRun(other, run.id)).toBeNull();
      expect((await subject.store.listRuns(other, { limit: 10 })).items).toEqual([]);
      expect((await subject.store.listExperiments(other, { limit: 10 })).items).toEqual([]);
    });

    it("lists runs newest first, by experiment and state, page by page", async () => {
      await using subject = await open();
      const [workspace] = subject.workspaceIds;
      const runs = [0, 1, 2].map((index) => newRun(workspace, startMs + index, index === 1 ? "rose" : "iris"));
      for (const run of runs) await subject.store.addRun(run);
      const ids = runs.map(({ id }) => id).toReversed();
      const page = await subject.store.listRuns(workspace, { limit: 2 });
      const rest = await subject.store.listRuns(workspace, { limit: 2, after: page.next ?? "" });
      expect([page, rest].map(({ items }) => items.map(({ id }) => id))).toEqual([ids.slice(0, 2), ids.slice(2)]);
      expect(rest.next).toBeNull();
      const roses = await subject.store.listRuns(workspace, { limit: 10, experiment: "rose" });
      expect(roses.items.map(({ id }) => id)).toEqual([ids[1]]);
      expect((await subject.store.listRuns(workspace, { limit: 10, state: "running" })).items).toEqual([]);
    });

    it("lists experiments by name with their newest run", async () => {
      await using subject = await open();
      const [workspace] = subject.workspaceIds;
      const runs = [newRun(workspace, startMs, "rose"), newRun(workspace, startMs + 1, "rose"), newRun(workspace)];
      for (const run of runs) await subject.store.addRun(run);
      const page = await subject.store.listExperiments(workspace, { limit: 1 });
      const rest = await subject.store.listExperiments(workspace, { limit: 1, after: page.next ?? "" });
      expect(page.items).toMatchObject([{ name: "iris", runs: 1 }]);
      expect(rest).toMatchObject({ items: [{ name: "rose", runs: 2, lastRun: { id: runs[1]?.id } }], next: null });
    });

    it("hands the oldest queued run to one claimer alone, counting the attempt", async () => {
      await using subject = await open();
      const [mine, other] = subject.workspaceIds;
      const [older, newer] = [newRun(mine), newRun(other, startMs + 1)];
      for (const run of [newer, older]) await subject.store.addRun(run);
      const claimed = await Promise.all(
        ["a", "b", "c"].map((owner) => subject.store.claimRun(lease(owner, startMs + 5))),
      );
      expect(claimed.map((run) => run?.id)).toEqual([older.id, newer.id, undefined]);
      expect(claimed[0]).toMatchObject({ state: "running", attempts: 1, startedAtMs: startMs + 5 });
      expect((await subject.store.activeRuns()).map(({ id }) => id)).toEqual([older.id, newer.id]);
    });

    it("keeps the first start over later attempts", async () => {
      await using subject = await open();
      const [workspace] = subject.workspaceIds;
      const run = newRun(workspace);
      await subject.store.addRun(run);
      await subject.store.claimRun(lease("a", startMs + 5));
      await subject.store.changeRun(workspace, run.id, { from: ["running"], to: { state: "queued" } });
      expect(await subject.store.claimRun(lease("b", startMs + 50))).toMatchObject({
        attempts: 2,
        startedAtMs: startMs + 5,
      });
    });

    it("changes a run only from the states that the change names: one of two wins", async () => {
      await using subject = await open();
      const [mine, other] = subject.workspaceIds;
      const run = newRun(mine);
      await subject.store.addRun(run);
      const cancel = { from: ["queued"], to: { state: "canceled", endedAtMs: startMs + 9 } } as const;
      expect(await subject.store.changeRun(other, run.id, cancel)).toBeNull();
      const both = await Promise.all([1, 2].map(() => subject.store.changeRun(mine, run.id, cancel)));
      expect(both.filter((changed) => changed !== null)).toMatchObject([{ state: "canceled", endedAtMs: startMs + 9 }]);
      expect(await subject.store.claimRun(lease("a"))).toBeNull();
    });

    it("stores what a run came to, and forgets what a change sets to null", async () => {
      await using subject = await open();
      const [workspace] = subject.workspaceIds;
      const run = newRun(workspace);
      await subject.store.addRun(run);
      await subject.store.claimRun(lease("a"));
      const progress = { epoch: 1, epochs: 2, step: 3, stepsPerEpoch: 4 };
      const reason = { code: "loss-not-finite", detail: "at step 3" };
      const failed = { state: "failed", reason, progress, metrics: { loss: 0.1 } } as const;
      const stored = await subject.store.changeRun(workspace, run.id, { from: ["running"], to: failed });
      expect(stored).toMatchObject(failed);
      const again = { from: ["failed"], to: { state: "queued", reason: null, endedAtMs: null } } as const;
      expect(await subject.store.changeRun(workspace, run.id, again)).toMatchObject({ reason: null, progress });
      expect(await subject.store.findRun(workspace, run.id)).toMatchObject({ state: "queued", metrics: { loss: 0.1 } });
    });
  });
};
