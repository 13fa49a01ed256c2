import type { ArtefactManifest, StartRun } from "@modelyard/contracts";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { openTwoWorkspaces, type TwoWorkspaces } from "../../../../tests/kit/two-workspaces.ts";
import type { DatasetDescription } from "../datasets/index.ts";
import { digestOf, type Once } from "../foundation/index.ts";
import { KyselyDatasetStore } from "./kysely-dataset-store.ts";
import { KyselyEndpointStore } from "./kysely-endpoint-store.ts";
import { KyselyModelStore } from "./kysely-model-store.ts";
import { KyselyRunStore } from "./kysely-run-store.ts";

const workspaceId = "ws_a";
const page = { limit: 200 };

/** The stores of a control plane on a real database. */
class Stores {
  readonly datasets: KyselyDatasetStore;
  readonly runs: KyselyRunStore;
  readonly models: KyselyModelStore;
  readonly endpoints: KyselyEndpointStore;
  #made = 0;

  constructor({ kysely }: TwoWorkspaces) {
    this.datasets = new KyselyDatasetStore(kysely);
    this.runs = new KyselyRunStore(kysely);
    this.models = new KyselyModelStore(kysely);
    this.endpoints = new KyselyEndpointStore(kysely);
  }

  /** An identifier that sorts by the order of its making, as real ones do. */
  newId(prefix: string): string {
    return `${prefix}_${String(++this.#made).padStart(26, "0")}`;
  }
}

/** What the stores should hold, as plain values. */
class Model {
  readonly datasets = new Map<string, string[]>();
  readonly runs: { readonly id: string; state: string }[] = [];
  readonly versions = new Map<string, string[]>();
  readonly moves = new Map<string, (readonly [number | null, number])[]>();
  readonly endpoints = new Map<string, string>();
  /** What a key has made: a run's id, an alias with the index of its move, or an endpoint's name. */
  readonly once = new Map<string, string>();

  live(alias: string): number | null {
    return this.moves.get(alias)?.at(-1)?.[1] ?? null;
  }
}

type Command = fc.AsyncCommand<Model, Stores>;
type Step = (model: Model, stores: Stores) => Promise<void>;

const command = (label: string, run: Step): Command => ({ check: () => true, run, toString: () => label });
const onceOf = (key: string | null): Once | undefined => (key === null ? undefined : { key, request: digestOf(key) });

const importDataset = (name: string, content: number): Command =>
  command(`import ${name} ${content}`, async (model, stores) => {
    const digest = digestOf(`${name} ${content}`);
    const known = model.datasets.get(name) ?? [];
    const version = { id: stores.newId("ds"), createdAtMs: 1, digest, profileDigest: digest };
    const description = {} as DatasetDescription;
    const added = await stores.datasets.addVersion(workspaceId, name, { ...version, description });
    if (!known.includes(digest)) model.datasets.set(name, [...known, digest]);
    expect(added.created).toBe(!known.includes(digest));
    expect(added.stored.version.version).toBe((model.datasets.get(name)?.indexOf(digest) ?? 0) + 1);
  });

const startRun = (key: string | null): Command =>
  command(`start run ${key ?? ""}`, async (model, stores) => {
    const id = stores.newId("run");
    const fixed = { workspaceId, experiment: "e", state: "queued", reason: null, request: {} as StartRun } as const;
    const none = { startedAtMs: null, endedAtMs: null, progress: null, evaluation: null, registered: null } as const;
    const run = { id, ...fixed, ...none, createdAtMs: 1, attempts: 0, metrics: {} };
    const added = await stores.runs.addRun(run, onceOf(key === null ? null : `run ${key}`));
    const earlier = key === null ? undefined : model.once.get(`run ${key}`);
    expect(added.id).toBe(earlier ?? id);
    if (earlier !== undefined) return;
    model.runs.push({ id, state: "queued" });
    if (key !== null) model.once.set(`run ${key}`, id);
  });

const claimRun: Command = command("claim run", async (model, { runs }) => {
  const oldest = model.runs.find(({ state }) => state === "queued");
  const claimed = await runs.claimRun({ owner: "o", nowMs: 1, untilMs: 2 });
  expect(claimed?.id).toBe(oldest?.id);
  if (oldest !== undefined) oldest.state = "running";
});

const changeRun = (from: "queued" | "running", to: "canceled" | "succeeded"): Command =>
  command(`${from} to ${to}`, async (model, { runs }) => {
    for (const run of model.runs) {
      const changed = await runs.changeRun(workspaceId, run.id, { from: [from], to: { state: to } });
      expect(changed?.state).toBe(run.state === from ? to : undefined);
      if (run.state === from) run.state = to;
    }
  });

const register = (name: string, content: number): Command =>
  command(`register ${name} ${content}`, async (model, stores) => {
    const digest = digestOf(`model ${content}`);
    const known = model.versions.get(name) ?? [];
    const fixed = { createdAtMs: 1, bytes: 1, artefact: {} as ArtefactManifest, firstAlias: "champion" };
    const added = await stores.models.addVersion(workspaceId, name, { id: stores.newId("mv"), digest, ...fixed });
    expect(added.created).toBe(!known.includes(digest));
    if (!known.includes(digest)) model.versions.set(name, [...known, digest]);
    if (known.length === 0) model.moves.set(`${name}@champion`, [[null, 1]]);
    expect(added.stored.version).toBe((model.versions.get(name)?.indexOf(digest) ?? 0) + 1);
  });

const moveAlias = (name: string, to: number, key: string | null): Command =>
  command(`alias ${name}@champion to ${to} ${key ?? ""}`, async (model, { models }) => {
    const alias = `${name}@champion`;
    const claim = key === null ? null : `alias ${name} ${to} ${key}`;
    const moved = await models.moveAlias(workspaceId, name, {
      alias: "champion",
      to,
      atMs: 1,
      by: null,
      once: onceOf(claim),
    });
    const moves = model.moves.get(alias) ?? [];
    const earlier = claim === null ? undefined : model.once.get(claim);
    if (earlier !== undefined) {
      const [from, was] = moves[Number(earlier)] ?? [];
      expect(moved).toMatchObject({ from, to: was });
      return;
    }
    if (to > (model.versions.get(name)?.length ?? 0)) return expect(moved).toBeNull();
    expect(moved).toMatchObject({ from: model.live(alias), to });
    model.moves.set(alias, [...moves, [model.live(alias), to]]);
    if (claim !== null) model.once.set(claim, String(moves.length));
  });

const createEndpoint = (name: string): Command =>
  command(`create endpoint ${name}`, async (model, stores) => {
    const endpoint = { id: stores.newId("dep"), workspaceId, name, model: `${name}@champion`, replicas: 1 };
    const made = stores.endpoints.addEndpoint({ ...endpoint, loaded: true, createdAtMs: 1 });
    if (model.endpoints.has(name)) await expect(made).rejects.toMatchObject({ code: "already-exists" });
    else expect((await made).name).toBe(name);
    model.endpoints.set(name, `${name}@champion`);
  });

const deleteEndpoint = (name: string): Command =>
  command(`delete endpoint ${name}`, async (model, { endpoints }) => {
    expect(await endpoints.removeEndpoint(workspaceId, name)).toBe(model.endpoints.delete(name));
  });

/** Everything that the stores show is what the model holds. */
const compareAll = async (model: Model, stores: Stores): Promise<void> => {
  for (const [name, digests] of model.datasets) {
    const versions = await stores.datasets.listVersions(workspaceId, name, page);
    expect(versions?.items.map(({ version }) => version.digest).toReversed()).toEqual(digests);
  }
  const runs = await stores.runs.listRuns(workspaceId, page);
  expect(runs.items.map(({ id, state }) => ({ id, state })).toReversed()).toEqual(model.runs);
  for (const [name, digests] of model.versions) {
    const found = await stores.models.findModel(workspaceId, name);
    expect(found).toMatchObject({ versions: digests.length, latest: digests.length });
    expect(found?.aliases).toMatchObject([{ alias: "champion", version: model.live(`${name}@champion`) }]);
    const history = await stores.models.aliasHistory(workspaceId, { model: name, alias: "champion" }, page);
    expect(history.items.map(({ from, to }) => [from, to]).toReversed()).toEqual(model.moves.get(`${name}@champion`));
  }
  const endpoints = await stores.endpoints.listEndpoints(workspaceId, page);
  expect(endpoints.items.map(({ name }) => name).toSorted()).toEqual([...model.endpoints.keys()].toSorted());
};

const compare: Command = command("compare", compareAll);
const name = fc.constantFrom("a", "b");
const key = fc.constantFrom(null, "k1", "k2");
const few = fc.integer({ min: 1, max: 3 });

test("the stores of a model's life do what plain maps and lists do, whatever the order", async () => {
  const commands = fc.commands(
    [
      fc.tuple(name, few).map(([dataset, content]) => importDataset(dataset, content)),
      key.map(startRun),
      fc.constant(claimRun),
      fc.constantFrom(changeRun("queued", "canceled"), changeRun("running", "succeeded")),
      fc.tuple(name, few).map(([model, content]) => register(model, content)),
      fc.tuple(name, few, key).map(([model, to, claim]) => moveAlias(model, to, claim)),
      name.map(createEndpoint),
      name.map(deleteEndpoint),
      fc.constant(compare),
    ],
    { maxCommands: 60 },
  );
  await fc.assert(
    fc.asyncProperty(commands, async (list) => {
      await using database = await openTwoWorkspaces();
      const [model, real] = [new Model(), new Stores(database)];
      await fc.asyncModelRun(() => ({ model, real }), list);
      await compareAll(model, real);
      const other = await real.models.listModels("ws_b", page);
      expect(other.items).toEqual([]);
    }),
    { numRuns: 60 },
  );
});

/** A move as its caller saw it: asked for and answered at these ticks. */
interface Observed {
  readonly by: string;
  readonly asked: number;
  readonly answered: number;
}

test("moves of one alias by many callers are linearizable: one order explains every answer and respects time", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(few, { minLength: 1, maxLength: 8 }), { minLength: 2, maxLength: 6 }),
      async (callers) => {
        await using database = await openTwoWorkspaces();
        const stores = new Stores(database);
        for (const content of [1, 2, 3])
          await register("a", content)
            .run(new Model(), stores)
            .catch(() => undefined);
        let tick = 0;
        const observed: Observed[] = [];
        const call = async (moves: readonly number[], caller: number): Promise<void> => {
          for (const [i, to] of moves.entries()) {
            const by = `${caller}.${i}`;
            const asked = ++tick;
            await stores.models.moveAlias(workspaceId, "a", { alias: "champion", to, atMs: 1, by });
            observed.push({ by, asked, answered: ++tick });
            expect((await stores.models.findByAlias(workspaceId, "a", "champion"))?.version).toBeGreaterThan(0);
          }
        };
        await Promise.all(callers.map(call));
        const { items } = await stores.models.aliasHistory(workspaceId, { model: "a", alias: "champion" }, page);
        const history = items.toReversed();
        // One order: each move begins where the one before it ended.
        for (const [i, move] of history.entries()) expect(move.from).toBe(history[i - 1]?.to ?? null);
        const place = new Map(history.map(({ by }, i) => [by, i]));
        expect(observed.every(({ by }) => place.has(by))).toBe(true);
        expect(history).toHaveLength(observed.length + 1);
        // Real time: what was answered before another was asked for stands before it.
        for (const a of observed) {
          for (const b of observed) {
            if (a.answered < b.asked) expect(place.get(a.by) ?? 0).toBeLessThan(place.get(b.by) ?? 0);
          }
        }
      },
    ),
    { numRuns: 40 },
  );
});
