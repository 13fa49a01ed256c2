import { describe, expect, it } from "vitest";
import { untilObserved } from "../../../../tests/kit/until-observed.ts";
import { digestOf, newIdentifier } from "../foundation/index.ts";
import type { ObservedReplica, ReplicaEngine, ReplicaSpec } from "./replica-engine.ts";

/** An engine to test, with nothing running. */
export interface ReplicaEngineSubject extends AsyncDisposable {
  readonly engine: ReplicaEngine;
  /** Kills a replica's process, as an out-of-memory kill would. */
  readonly kill: (replicaId: string) => Promise<void>;
}

type Observed = readonly ObservedReplica[];

const newReplica = (): ReplicaSpec => ({
  id: newIdentifier("rep", 1_700_000_000_000),
  endpoint: "iris",
  model: "iris",
  version: 1,
  digest: digestOf("iris"),
});

const allReady =
  (count: number) =>
  (replicas: Observed): boolean =>
    replicas.length === count && replicas.every(({ state }) => state === "ready");

/** What every driver of the port must do, tried with real processes. */
export const replicaEngineConformance = (driver: string, open: () => Promise<ReplicaEngineSubject>): void => {
  describe(`ReplicaEngine: ${driver}`, () => {
    it("brings what is listed to ready, each at an address of its own", async () => {
      await using subject = await open();
      const [a, b] = [newReplica(), newReplica()];
      await subject.engine.apply([a, b]);
      const replicas = await untilObserved(subject.engine, allReady(2));
      expect(replicas.map(({ id }) => id).toSorted()).toEqual([a.id, b.id].toSorted());
      expect(replicas[0]).toMatchObject({ restarts: 0, reason: null, startedAtMs: expect.any(Number) as number });
      expect(subject.engine.address(a.id)).not.toBe(subject.engine.address(b.id));
      expect(subject.engine.address(a.id)).toBe(subject.engine.address(a.id));
    });

    it("leaves alone what is listed again", async () => {
      await using subject = await open();
      const replica = newReplica();
      await subject.engine.apply([replica]);
      const before = await untilObserved(subject.engine, allReady(1));
      await subject.engine.apply([replica]);
      expect(await subject.engine.observe()).toEqual(before);
    });

    it("replaces a killed replica under its id and address, and says why it was away", async () => {
      await using subject = await open();
      const replica = newReplica();
      await subject.engine.apply([replica]);
      await untilObserved(subject.engine, allReady(1));
      await subject.kill(replica.id);
      const [back] = await untilObserved(subject.engine, ([one]) => one?.state === "ready" && one.restarts > 0);
      expect(back).toMatchObject({ id: replica.id, restarts: 1, reason: expect.stringContaining("SIGKILL") as string });
    });

    it("drains what is no longer listed, and forgets it", async () => {
      await using subject = await open();
      const [old, fresh] = [newReplica(), newReplica()];
      await subject.engine.apply([old, fresh]);
      await untilObserved(subject.engine, allReady(2));
      await subject.engine.apply([fresh]);
      const left = await untilObserved(subject.engine, (replicas) => replicas.length === 1);
      expect(left).toMatchObject([{ id: fresh.id, state: "ready", restarts: 0 }]);
    });
  });
};
