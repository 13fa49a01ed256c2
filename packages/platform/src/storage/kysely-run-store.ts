import type { RunState } from "@modelyard/contracts";
import type { Kysely, Selectable } from "kysely";
import type { ExperimentSummary, Lease, RunChange, RunFilter, RunStore, StoredRun } from "../experiments/index.ts";
import type { Once, Page, PageRequest } from "../foundation/index.ts";
import { findOnce, rememberOnce } from "./claim-once.ts";
import { pageFrom } from "./page-from.ts";
import type { Schema } from "./schema.ts";
import { checkQuotaIn } from "./workspace-usage.ts";
import type { RunsTable } from "./tables/experiments.ts";

type RunRow = Selectable<RunsTable>;

// Every JSON column is written by this adapter alone, from values that were parsed at the edge.
const json = (text: string | null): unknown => (text === null ? null : JSON.parse(text));
const text = (value: unknown): string | null => (value === null || value === undefined ? null : JSON.stringify(value));

const toStored = (row: RunRow): StoredRun => ({
  id: row.id,
  workspaceId: row.workspace_id,
  experiment: row.experiment,
  state: row.state as RunState,
  reason: json(row.reason) as StoredRun["reason"],
  request: JSON.parse(row.request) as StoredRun["request"],
  createdAtMs: row.created_at,
  startedAtMs: row.started_at,
  endedAtMs: row.ended_at,
  attempts: row.attempts,
  progress: json(row.progress) as StoredRun["progress"],
  metrics: JSON.parse(row.metrics) as StoredRun["metrics"],
  evaluation: json(row.evaluation) as StoredRun["evaluation"],
  registered: json(row.registered) as StoredRun["registered"],
});

const toChange = (change: RunChange): Partial<RunRow> => ({
  ...(change.state === undefined ? {} : { state: change.state }),
  ...(change.reason === undefined ? {} : { reason: text(change.reason) }),
  ...(change.startedAtMs === undefined ? {} : { started_at: change.startedAtMs }),
  ...(change.endedAtMs === undefined ? {} : { ended_at: change.endedAtMs }),
  ...(change.attempts === undefined ? {} : { attempts: change.attempts }),
  ...(change.progress === undefined ? {} : { progress: text(change.progress) }),
  ...(change.metrics === undefined ? {} : { metrics: JSON.stringify(change.metrics) }),
  ...(change.evaluation === undefined ? {} : { evaluation: text(change.evaluation) }),
  ...(change.registered === undefined ? {} : { registered: text(change.registered) }),
});

/** Keeps experiments and runs in the metadata database. */
export class KyselyRunStore implements RunStore {
  readonly #database: Kysely<Schema>;

  constructor(database: Kysely<Schema>) {
    this.#database = database;
  }

  addRun(run: StoredRun, once?: Once): Promise<StoredRun> {
    const { id, workspaceId, createdAtMs } = run;
    return this.#database.transaction().execute(async (transaction) => {
      const earlier = await findOnce(transaction, workspaceId, once);
      if (earlier !== null) return this.#runOf(transaction, workspaceId, earlier);
      await checkQuotaIn(transaction, run.workspaceId, { thing: "activeRuns", amount: 1 });
      await transaction
        .insertInto("experiments")
        .values({ workspace_id: run.workspaceId, name: run.experiment, created_at: run.createdAtMs })
        .onConflict((conflict) => conflict.columns(["workspace_id", "name"]).doNothing())
        .execute();
      const row: RunRow = {
        id: run.id,
        workspace_id: run.workspaceId,
        experiment: run.experiment,
        state: run.state,
        reason: text(run.reason),
        request: JSON.stringify(run.request),
        created_at: run.createdAtMs,
        started_at: run.startedAtMs,
        ended_at: run.endedAtMs,
        attempts: run.attempts,
        progress: text(run.progress),
        metrics: JSON.stringify(run.metrics),
        evaluation: text(run.evaluation),
        registered: text(run.registered),
        lease_owner: null,
        lease_until: null,
      };
      await transaction.insertInto("runs").values(row).execute();
      await rememberOnce(transaction, once, { workspaceId, reference: id, atMs: createdAtMs });
      return run;
    });
  }

  async findRunMadeBy(workspaceId: string, once: Once | undefined): Promise<StoredRun | null> {
    const id = await findOnce(this.#database, workspaceId, once);
    return id === null ? null : this.findRun(workspaceId, id);
  }

  async unknownRuns(ids: readonly string[]): Promise<readonly string[]> {
    const rows = await this.#database.selectFrom("runs").select("id").execute();
    const known = new Set(rows.map(({ id }) => id));
    return ids.filter((id) => !known.has(id));
  }

  async #runOf(database: Kysely<Schema>, workspaceId: string, id: string): Promise<StoredRun> {
    const row = await database
      .selectFrom("runs")
      .selectAll()
      .where("workspace_id", "=", workspaceId)
      .where("id", "=", id)
      .executeTakeFirstOrThrow();
    return toStored(row);
  }

  async findRun(workspaceId: string, id: string): Promise<StoredRun | null> {
    const row = await this.#database
      .selectFrom("runs")
      .selectAll()
      .where("workspace_id", "=", workspaceId)
      .where("id", "=", id)
      .executeTakeFirst();
    return row === undefined ? null : toStored(row);
  }

  async listRuns(workspaceId: string, filter: RunFilter): Promise<Page<StoredRun>> {
    let query = this.#database.selectFrom("runs").selectAll().where("workspace_id", "=", workspaceId);
    if (filter.experiment !== undefined) query = query.where("experiment", "=", filter.experiment);
    if (filter.state !== undefined) query = query.where("state", "=", filter.state);
    if (filter.after !== undefined) query = query.where("id", "<", filter.after);
    const rows = await query
      .orderBy("id", "desc")
      .limit(filter.limit + 1)
      .execute();
    return pageFrom(rows, filter.limit, { item: toStored, cursor: (row) => row.id });
  }

  async listExperiments(workspaceId: string, page: PageRequest): Promise<Page<ExperimentSummary>> {
    let query = this.#database.selectFrom("experiments").selectAll().where("workspace_id", "=", workspaceId);
    if (page.after !== undefined) query = query.where("name", ">", page.after);
    const rows = await query
      .orderBy("name", "asc")
      .limit(page.limit + 1)
      .execute();
    const names = pageFrom(rows, page.limit, { item: (row) => row, cursor: (row) => row.name });
    const items: ExperimentSummary[] = [];
    for (const { name, created_at: createdAtMs } of names.items) {
      const own = this.#database
        .selectFrom("runs")
        .where("workspace_id", "=", workspaceId)
        .where("experiment", "=", name);
      const counted = await own.select((of) => of.fn.countAll<number>().as("runs")).executeTakeFirstOrThrow();
      const last = await own.selectAll().orderBy("id", "desc").limit(1).executeTakeFirst();
      items.push({ name, createdAtMs, runs: counted.runs, lastRun: last === undefined ? null : toStored(last) });
    }
    return { items, next: names.next };
  }

  async changeRun(
    workspaceId: string,
    id: string,
    change: { readonly from: readonly RunState[]; readonly to: RunChange },
  ): Promise<StoredRun | null> {
    const row = await this.#database
      .updateTable("runs")
      .set(toChange(change.to))
      .where("workspace_id", "=", workspaceId)
      .where("id", "=", id)
      .where("state", "in", [...change.from])
      .returningAll()
      .executeTakeFirst();
    return row === undefined ? null : toStored(row);
  }

  async claimRun(lease: Lease): Promise<StoredRun | null> {
    const row = await this.#database
      .updateTable("runs")
      .set((of) => ({
        state: "running",
        lease_owner: lease.owner,
        lease_until: lease.untilMs,
        attempts: of("attempts", "+", 1),
        started_at: of.fn.coalesce("started_at", of.val(lease.nowMs)),
      }))
      .where("id", "=", (of) =>
        of.selectFrom("runs").select("id").where("state", "=", "queued").orderBy("id", "asc").limit(1),
      )
      .returningAll()
      .executeTakeFirst();
    return row === undefined ? null : toStored(row);
  }

  async renewLeases(lease: Lease): Promise<void> {
    await this.#database
      .updateTable("runs")
      .set({ lease_owner: lease.owner, lease_until: lease.untilMs })
      .where("state", "in", ["running", "canceling"])
      .where((of) =>
        of.or([
          of("lease_owner", "=", lease.owner),
          of("lease_until", "is", null),
          of("lease_until", "<", lease.nowMs),
        ]),
      )
      .execute();
  }

  async activeRuns(): Promise<readonly StoredRun[]> {
    const rows = await this.#database
      .selectFrom("runs")
      .selectAll()
      .where("state", "in", ["running", "canceling"])
      .orderBy("id", "asc")
      .execute();
    return rows.map(toStored);
  }
}
