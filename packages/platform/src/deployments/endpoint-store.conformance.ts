import { describe, expect, it } from "vitest";
import { digestOf, newIdentifier } from "../foundation/index.ts";
import type { StoredEndpoint, StoredReplica } from "./endpoint.ts";
import type { EndpointStore } from "./endpoint-store.ts";

/** A store to test, with two workspaces that exist. */
export interface EndpointStoreSubject extends AsyncDisposable {
  readonly store: EndpointStore;
  readonly workspaceIds: readonly [string, string];
}

const startMs = 1_700_000_000_000;

const newEndpoint = (workspaceId: string, name: string, createdAtMs = startMs): StoredEndpoint => ({
  id: newIdentifier("dep", createdAtMs),
  workspaceId,
  name,
  model: "iris@champion",
  replicas: 2,
  loaded: true,
  createdAtMs,
});

const newReplica = ({ id, workspaceId }: StoredEndpoint, createdAtMs = startMs): StoredReplica => ({
  id: newIdentifier("rep", createdAtMs),
  workspaceId,
  endpointId: id,
  model: "iris",
  version: 1,
  digest: digestOf("iris"),
  createdAtMs,
});

/** What every driver of the port must do. */
export const endpointStoreConformance = (driver: string, open: () => Promise<EndpointStoreSubject>): void => {
  describe(`EndpointStore: ${driver}`, () => {
    it("finds endpoints again as they were added, each workspace its own", async () => {
      await using subject = await open();
      const [mine, other] = subject.workspaceIds;
      const [endpoint, theirs] = [newEndpoint(mine, "iris"), newEndpoint(other, "iris")];
      await subject.store.addEndpoint(endpoint);
      expect(await subject.store.findEndpoint(mine, "iris")).toEqual(endpoint);
      expect(await subject.store.findEndpoint(other, "iris")).toBeNull();
      await subject.store.addEndpoint(theirs);
      expect(await subject.store.allEndpoints()).toEqual(expect.arrayContaining([endpoint, theirs]));
    });

    it("refuses a name that is taken, also when both come at once, and changes nothing", async () => {
      await using subject = await open();
      const [workspace] = subject.workspaceIds;
      const both = await Promise.allSettled(
        [1, 2].map(() => subject.store.addEndpoint(newEndpoint(workspace, "iris"))),
      );
      expect(both.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
      const kept = await subject.store.findEndpoint(workspace, "iris");
      await expect(subject.store.addEndpoint(newEndpoint(workspace, "iris"))).rejects.toMatchObject({
        code: "already-exists",
      });
      expect(await subject.store.allEndpoints()).toEqual([kept]);
    });

    it("lists endpoints newest first, page by page", async () => {
      await using subject = await open();
      const [workspace] = subject.workspaceIds;
      for (const [index, name] of ["a", "b", "c"].entries()) {
        await subject.store.addEndpoint(newEndpoint(workspace, name, startMs + index));
      }
      const page = await subject.store.listEndpoints(workspace, { limit: 2 });
      const rest = await subject.store.listEndpoints(workspace, { limit: 2, after: page.next ?? "" });
      expect(page.items.map(({ name }) => name)).toEqual(["c", "b"]);
      expect(rest).toMatchObject({ items: [{ name: "a" }], next: null });
    });

    it("remembers whether an endpoint is loaded", async () => {
      await using subject = await open();
      const [mine, other] = subject.workspaceIds;
      await subject.store.addEndpoint(newEndpoint(mine, "iris"));
      expect(await subject.store.setLoaded(other, "iris", false)).toBe(false);
      expect(await subject.store.setLoaded(mine, "iris", false)).toBe(true);
      expect(await subject.store.findEndpoint(mine, "iris")).toMatchObject({ loaded: false });
    });

    it("keeps replicas, oldest first, until they or their endpoint are removed", async () => {
      await using subject = await open();
      const [mine, other] = subject.workspaceIds;
      const endpoint = newEndpoint(mine, "iris");
      await subject.store.addEndpoint(endpoint);
      const replicas = [0, 1, 2].map((index) => newReplica(endpoint, startMs + index));
      for (const replica of replicas) await subject.store.addReplica(replica);
      expect(await subject.store.allReplicas()).toEqual(replicas);
      await subject.store.removeReplica(other, replicas[0]?.id ?? "");
      expect(await subject.store.allReplicas()).toHaveLength(3);
      await subject.store.removeReplica(mine, replicas[0]?.id ?? "");
      expect(await subject.store.allReplicas()).toEqual(replicas.slice(1));
      expect(await subject.store.removeEndpoint(other, "iris")).toBe(false);
      expect(await subject.store.removeEndpoint(mine, "iris")).toBe(true);
      expect(await subject.store.removeEndpoint(mine, "iris")).toBe(false);
      expect(await subject.store.allReplicas()).toEqual([]);
    });
  });
};
