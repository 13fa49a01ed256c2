import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { FailpointName } from "@modelyard/platform";
import { runCommand } from "../kit/command-line.ts";
import { makeOldStore } from "../kit/old-store.ts";
import { importTable, startTraining, type TestPlatform, until } from "../kit/platform.ts";

/** What a case works with: a platform with a trained model `base@1`, and a name that no other case uses. */
export interface CaseContext {
  readonly platform: TestPlatform;
  readonly tag: string;
  /** Rows of the case's own tables, so that no two cases store the same bytes. */
  readonly rows: number;
}

/** How a failpoint is reached, and what must hold once the process that died there is back. */
export interface FailpointCase {
  /** Whether the failpoint is passed by the first start of an empty data directory, which is then the whole act. */
  readonly atFirstStart?: true;
  /** Lays down what the first start is to find. */
  beforeStart?(dataDirectory: string): void;
  /** Makes ready what the act needs, before the failpoint is armed. */
  prepare?(context: CaseContext): Promise<unknown>;
  /** Passes the failpoint; it may fail, because the process dies meanwhile. */
  act(context: CaseContext): Promise<unknown>;
  /** Asks again for what was asked, and looks at what is there. @returns Whether the guarantee holds. */
  holds(context: CaseContext): Promise<boolean>;
}

const within = 60_000;

const imported: FailpointCase = {
  act: ({ platform, tag, rows }) => importTable(platform.yard, tag, rows),
  holds: async ({ platform: { yard }, tag, rows }) => {
    await importTable(yard, tag, rows);
    const { items } = await yard.datasets.versions(tag);
    const { split } = await yard.datasets.show(tag, 1);
    return items.length === 1 && split.train + split.validation + split.test === rows;
  },
};

const start = ({ platform, tag }: CaseContext, epochs = 4) =>
  startTraining(platform.yard, { dataset: "base", experiment: tag, epochs }, { idempotencyKey: tag });

/** The run of a case ends well, is the only one, and has made exactly one version and told its end once. */
const trainedOnce = async ({ platform: { yard }, tag }: CaseContext): Promise<boolean> => {
  const { items } = await yard.runs.list({ experiment: tag });
  const ends: string[] = [];
  const run = await yard.runs.wait(items[0]?.id ?? "", (event) => {
    if (event.type === "registered" || (event.type === "state" && event.state === "succeeded")) ends.push(event.type);
  });
  const versions = await yard.models.versions(tag);
  return (
    items.length === 1 && run.state === "succeeded" && ends.join() === "registered,state" && versions.items.length === 1
  );
};

const trained: FailpointCase = {
  act: async (context) => context.platform.yard.runs.wait((await start(context)).id),
  holds: async (context) => {
    await start(context);
    return trainedOnce(context);
  },
};

const untilTraining = async ({ platform: { yard }, tag }: CaseContext): Promise<string> => {
  const { id } = (await yard.runs.list({ experiment: tag })).items[0] ?? { id: "" };
  await until(async () => ((await yard.runs.show(id)).progress?.epoch ?? 0) >= 2, within);
  return id;
};

const canceled: FailpointCase = {
  prepare: async (context) => {
    await start(context, 100_000);
    await untilTraining(context);
  },
  act: async (context) => context.platform.yard.runs.cancel(await untilTraining(context)),
  holds: async ({ platform: { yard }, tag }) => {
    const { id } = (await yard.runs.list({ experiment: tag })).items[0] ?? { id: "" };
    return (await yard.runs.wait(id)).state === "canceled";
  },
};

const resumed: FailpointCase = {
  prepare: async (context) => {
    await start(context, 400);
    const id = await untilTraining(context);
    await context.platform.yard.runs.cancel(id);
    await context.platform.yard.runs.wait(id);
  },
  act: async ({ platform: { yard }, tag }) =>
    yard.runs.resume((await yard.runs.list({ experiment: tag })).items[0]?.id ?? ""),
  holds: async (context) => {
    const { yard } = context.platform;
    const [run] = (await yard.runs.list({ experiment: context.tag })).items;
    if (run?.state === "canceled") await yard.runs.resume(run.id);
    return trainedOnce(context);
  },
};

const moveAlias = ({ platform: { yard }, tag }: CaseContext) =>
  yard.models.alias("base", tag, { version: 1 }, { idempotencyKey: tag });

const aliasMoved: FailpointCase = {
  act: moveAlias,
  holds: async (context) => {
    await moveAlias(context);
    const { items } = await context.platform.yard.models.aliasHistory("base", context.tag);
    return items.length === 1 && items[0]?.to === 1;
  },
};

const createEndpoint = ({ platform: { yard }, tag }: CaseContext) =>
  yard.endpoints.create({ name: tag, model: "base@1" }, { idempotencyKey: tag });

const untilReady = ({ platform: { yard }, tag }: CaseContext) =>
  until(async () => (await yard.endpoints.show(tag)).state === "ready", within);

const noReplicaOf = async ({ platform: { supervisor } }: CaseContext, ids: readonly string[]): Promise<boolean> =>
  (await supervisor.family.observe("replicas")).every(({ name }) => !ids.includes(name));

const deployed: FailpointCase = {
  act: createEndpoint,
  holds: async (context) => {
    const { yard } = context.platform;
    await createEndpoint(context);
    await untilReady(context);
    const { replicas } = await yard.endpoints.show(context.tag);
    const answer = await yard.endpoints.predict(context.tag, { input: { a: 1, b: 1 } });
    await yard.endpoints.delete(context.tag);
    const ids = replicas.map(({ id }) => id);
    await until(() => noReplicaOf(context, ids), within);
    return ids.length === 1 && answer.predictions.length === 1;
  },
};

const undeployed: FailpointCase = {
  prepare: async (context) => {
    await createEndpoint(context);
    await untilReady(context);
  },
  act: ({ platform: { yard }, tag }) => yard.endpoints.delete(tag),
  holds: async (context) => {
    const { items } = await context.platform.yard.endpoints.list();
    // The platform serves nothing else, so whatever replica is left would be one too many.
    await until(async () => (await context.platform.supervisor.family.observe("replicas")).length === 0, within);
    return items.every(({ name }) => name !== context.tag);
  },
};

const liveKeys = async ({ platform: { yard }, tag }: CaseContext) =>
  (await yard.keys.list({ limit: 200 })).items.filter(({ name, revokedAt }) => name === tag && revokedAt === null);

const createKey = ({ platform: { yard }, tag }: CaseContext) => yard.keys.create({ name: tag, scopes: ["runs:read"] });

const keyCreated: FailpointCase = {
  act: createKey,
  holds: async (context) => {
    await createKey(context).catch(() => null);
    return (await liveKeys(context)).length === 1;
  },
};

const keyRevoked: FailpointCase = {
  prepare: createKey,
  act: async (context) => context.platform.yard.keys.revoke((await liveKeys(context))[0]?.id ?? ""),
  holds: async (context) => (await liveKeys(context)).length === 0,
};

/** A change of the routes reaches a gateway that died while it kept them. */
const routesKept: FailpointCase = {
  act: createKey,
  holds: async (context) => {
    const { platform, tag } = context;
    const { key } = await platform.yard.keys.create({ name: `${tag}-b`, scopes: ["predict"] });
    const asked = () => fetch(`${platform.url}/v2/models/absent`, { headers: { authorization: `Bearer ${key}` } });
    await until(async () => (await asked()).status === 404, within);
    return (await fetch(`${platform.url}/readyz`)).ok;
  },
};

const dataOf = ({ platform: { supervisor } }: CaseContext): string => supervisor.directory.root;
const backupOf = (context: CaseContext): string => `${dataOf(context)}-${context.tag}`;

/** A command in a process of its own, which obeys the failpoints of the platform. */
const command = (context: CaseContext, ...args: readonly string[]) =>
  runCommand([...args, "--json"], {
    environment: { MODELYARD_FAILPOINTS: join(dirname(dataOf(context)), "failpoints") },
  });

const backUp = (context: CaseContext) => command(context, "backup", backupOf(context), "--data", dataOf(context));

/** Restores a backup twice over: only into nothing, and all or nothing. */
const restores = async (context: CaseContext): Promise<boolean> => {
  const restored = `${backupOf(context)}-restored`;
  const first = await command(context, "restore", backupOf(context), "--data", restored);
  const onto = await command(context, "restore", backupOf(context), "--data", restored);
  return first.code === 0 && onto.code !== 0 && onto.out.includes("already-exists");
};

const backedUp: FailpointCase = {
  act: backUp,
  holds: async (context) => {
    if (!existsSync(backupOf(context))) await backUp(context);
    return restores(context);
  },
};

const restored: FailpointCase = {
  prepare: backUp,
  act: (context) => command(context, "restore", backupOf(context), "--data", `${backupOf(context)}-restored`),
  holds: restores,
};

/** The platform of an interrupted first start works, and its admin key opens it. */
const firstStart: FailpointCase = {
  atFirstStart: true,
  act: async () => {},
  holds: async ({ platform: { yard }, tag }) => {
    await importTable(yard, tag, 30);
    return (await yard.system.whoami()).key.name === "admin";
  },
};

/** The same for the first start of this version on what an older one left. */
const migratedStart: FailpointCase = { ...firstStart, beforeStart: (data) => makeOldStore(data, 1) };

/** A case for every failpoint: the type refuses one that has none. */
export const failpointCases: Readonly<Record<FailpointName, FailpointCase>> = {
  "checkpoint.opened": trained,
  "checkpoint.written": trained,
  "checkpoint.renamed": trained,
  "run-spec.opened": trained,
  "run-spec.written": trained,
  "run-spec.renamed": trained,
  "run-result.opened": trained,
  "run-result.written": trained,
  "run-result.renamed": trained,
  "routes.opened": routesKept,
  "routes.written": routesKept,
  "routes.renamed": routesKept,
  "pepper.opened": firstStart,
  "pepper.written": firstStart,
  "pepper.renamed": firstStart,
  "admin-key.opened": firstStart,
  "admin-key.written": firstStart,
  "admin-key.renamed": firstStart,
  "audit-key.opened": firstStart,
  "audit-key.written": firstStart,
  "audit-key.renamed": firstStart,
  "blob.opened": imported,
  "blob.written": imported,
  "blob.renamed": imported,
  "import.claimed": imported,
  "import.stored": imported,
  "import.forgotten": imported,
  "import.assembled": imported,
  "import.added": imported,
  "dataset.half-added": imported,
  "run.written": trained,
  "run.added": trained,
  "run.claimed": trained,
  "run.registered": trained,
  "run.ended": trained,
  "run.canceling": canceled,
  "run.resuming": resumed,
  "version.half-added": trained,
  "version.added": trained,
  "alias.half-moved": aliasMoved,
  "alias.moved": aliasMoved,
  "endpoint.added": deployed,
  "endpoint.replica-added": deployed,
  "endpoint.removed": undeployed,
  "key.added": keyCreated,
  "key.revoked": keyRevoked,
  "backup-manifest.opened": backedUp,
  "backup-manifest.written": backedUp,
  "backup-manifest.renamed": backedUp,
  "backup.database-copied": backedUp,
  "backup.copied": backedUp,
  "restore.copied": restored,
  "migration.backed-up": migratedStart,
  "migration.statement": firstStart,
  "migration.recorded": firstStart,
};
