import type { Kysely, Selectable } from "kysely";
import type { EndpointStore, StoredEndpoint, StoredReplica } from "../deployments/index.ts";
import { notFound, type Once, type Page, type PageRequest, PlatformError } from "../foundation/index.ts";
import { findOnce, rememberOnce } from "./claim-once.ts";
import { pageFrom } from "./page-from.ts";
import type { Schema } from "./schema.ts";
import { checkQuotaIn } from "./workspace-usage.ts";
import type { EndpointsTable } from "./tables/deployments.ts";

const toEndpoint = (row: Selectable<EndpointsTable>): StoredEndpoint => ({
  id: row.id,
  workspaceId: row.workspace_id,
  name: row.name,
  model: row.model,
  replicas: row.replicas,
  loaded: row.loaded === 1,
  createdAtMs: row.created_at,
});

/** Keeps endpoints in the metadata database. */
export class KyselyEndpointStore implements EndpointStore {
  readonly #database: Kysely<Schema>;

  constructor(database: Kysely<Schema>) {
    this.#database = database;
  }

  addEndpoint(endpoint: StoredEndpoint, once?: Once): Promise<StoredEndpoint> {
    const { id, workspaceId, name, model, replicas, loaded, createdAtMs } = endpoint;
    return this.#database.transaction().execute(async (transaction) => {
      const earlier = await findOnce(transaction, workspaceId, once);
      if (earlier !== null) {
        const made = await transaction.selectFrom("endpoints").selectAll().where("id", "=", earlier).executeTakeFirst();
        if (made === undefined) throw notFound(`endpoint "${name}"`);
        return toEndpoint(made);
      }
      await checkQuotaIn(transaction, workspaceId, { thing: "endpoints", amount: 1 });
      const result = await transaction
        .insertInto("endpoints")
        .values({
          id,
          workspace_id: workspaceId,
          name,
          model,
          replicas,
          loaded: loaded ? 1 : 0,
          created_at: createdAtMs,
        })
        .onConflict((conflict) => conflict.columns(["workspace_id", "name"]).doNothing())
        .executeTakeFirst();
      if (result.numInsertedOrUpdatedRows === 0n) {
        throw new PlatformError(
          "already-exists",
          `There is an endpoint named "${name}". Choose another name, delete it first, or move the alias that it follows.`,
        );
      }
      await rememberOnce(transaction, once, { workspaceId, reference: id, atMs: createdAtMs });
      return endpoint;
    });
  }

  async findEndpoint(workspaceId: string, name: string): Promise<StoredEndpoint | null> {
    const row = await this.#database
      .selectFrom("endpoints")
      .selectAll()
      .where("workspace_id", "=", workspaceId)
      .where("name", "=", name)
      .executeTakeFirst();
    return row === undefined ? null : toEndpoint(row);
  }

  async listEndpoints(workspaceId: string, page: PageRequest): Promise<Page<StoredEndpoint>> {
    let query = this.#database.selectFrom("endpoints").selectAll().where("workspace_id", "=", workspaceId);
    if (page.after !== undefined) query = query.where("id", "<", page.after);
    const rows = await query
      .orderBy("id", "desc")
      .limit(page.limit + 1)
      .execute();
    return pageFrom(rows, page.limit, { item: toEndpoint, cursor: (row) => row.id });
  }

  async allEndpoints(): Promise<readonly StoredEndpoint[]> {
    const rows = await this.#database.selectFrom("endpoints").selectAll().orderBy("id", "asc").execute();
    return rows.map(toEndpoint);
  }

  async setLoaded(workspaceId: string, name: string, loaded: boolean): Promise<boolean> {
    const { numUpdatedRows } = await this.#database
      .updateTable("endpoints")
      .set({ loaded: loaded ? 1 : 0 })
      .where("workspace_id", "=", workspaceId)
      .where("name", "=", name)
      .executeTakeFirstOrThrow();
    return numUpdatedRows > 0n;
  }

  async removeEndpoint(workspaceId: string, name: string): Promise<boolean> {
    const { numDeletedRows } = await this.#database
      .deleteFrom("endpoints")
      .where("workspace_id", "=", workspaceId)
      .where("name", "=", name)
      .executeTakeFirstOrThrow();
    return numDeletedRows > 0n;
  }

  async addReplica(replica: StoredReplica): Promise<void> {
    const { id, workspaceId, endpointId, model, version, digest, createdAtMs } = replica;
    await this.#database
      .insertInto("replicas")
      .values({
        id,
        workspace_id: workspaceId,
        endpoint_id: endpointId,
        model,
        version,
        digest,
        created_at: createdAtMs,
      })
      .execute();
  }

  async removeReplica(workspaceId: string, id: string): Promise<void> {
    await this.#database.deleteFrom("replicas").where("workspace_id", "=", workspaceId).where("id", "=", id).execute();
  }

  async allReplicas(): Promise<readonly StoredReplica[]> {
    const rows = await this.#database.selectFrom("replicas").selectAll().orderBy("id", "asc").execute();
    return rows.map((row) => ({
      id: row.id,
      workspaceId: row.workspace_id,
      endpointId: row.endpoint_id,
      model: row.model,
      version: row.version,
      digest: row.digest,
      createdAtMs: row.created_at,
    }));
  }
}
