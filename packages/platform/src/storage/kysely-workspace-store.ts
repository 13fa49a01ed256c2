import type { ApiKey, Scope } from "@modelyard/contracts";
import type { Kysely, Selectable } from "kysely";
import { newIdentifier, type Page, type PageRequest, PlatformError, timestamp } from "../foundation/index.ts";
import type { KeyVerifier, NewKey, Workspace, WorkspaceStore } from "../workspaces/index.ts";
import { pageFrom } from "./page-from.ts";
import type { Schema } from "./schema.ts";
import type { ApiKeysTable } from "./tables/workspaces.ts";

type KeyRow = Selectable<ApiKeysTable>;

const moment = (ms: number | null): string | null => (ms === null ? null : timestamp(ms));
// Written by this adapter alone, from parsed scopes.
const scopesOf = (row: Pick<KeyRow, "scopes">): Scope[] => JSON.parse(row.scopes) as Scope[];

const toKey = (row: KeyRow): ApiKey => ({
  id: row.id,
  name: row.name,
  prefix: row.prefix,
  scopes: scopesOf(row),
  createdAt: timestamp(row.created_at),
  expiresAt: moment(row.expires_at),
  revokedAt: moment(row.revoked_at),
  lastUsedAt: moment(row.last_used_at),
});

const toVerifier = (row: KeyRow & { readonly workspace_name: string }): KeyVerifier => ({
  id: row.id,
  name: row.name,
  prefix: row.prefix,
  secretHash: row.secret_hash,
  workspaceId: row.workspace_id,
  workspaceName: row.workspace_name,
  scopes: scopesOf(row),
  expiresAtMs: row.expires_at,
  revokedAtMs: row.revoked_at,
});

/** Keeps workspaces and keys in the metadata database. */
export class KyselyWorkspaceStore implements WorkspaceStore {
  readonly #database: Kysely<Schema>;

  constructor(database: Kysely<Schema>) {
    this.#database = database;
  }

  async ensureWorkspace(name: string, nowMs: number): Promise<Workspace> {
    await this.#database
      .insertInto("workspaces")
      .values({ id: newIdentifier("ws", nowMs), name, created_at: nowMs })
      .onConflict((conflict) => conflict.column("name").doNothing())
      .execute();
    return this.#database
      .selectFrom("workspaces")
      .select(["id", "name"])
      .where("name", "=", name)
      .executeTakeFirstOrThrow();
  }

  addKey(workspaceId: string, key: NewKey): Promise<ApiKey> {
    const row: KeyRow = {
      id: key.id,
      workspace_id: workspaceId,
      name: key.name,
      prefix: key.prefix,
      secret_hash: key.secretHash,
      scopes: JSON.stringify(key.scopes),
      created_at: key.createdAtMs,
      expires_at: key.expiresAtMs,
      revoked_at: null,
      last_used_at: null,
    };
    return this.#database.transaction().execute(async (transaction) => {
      const taken = await transaction
        .selectFrom("api_keys")
        .select("id")
        .where("workspace_id", "=", workspaceId)
        .where("name", "=", key.name)
        .where("revoked_at", "is", null)
        .executeTakeFirst();
      if (taken !== undefined) {
        throw new PlatformError(
          "already-exists",
          `There is a live API key named "${key.name}". Choose another name, or revoke that key first.`,
        );
      }
      await transaction.insertInto("api_keys").values(row).execute();
      return toKey(row);
    });
  }

  async listKeys(workspaceId: string, page: PageRequest): Promise<Page<ApiKey>> {
    let query = this.#database.selectFrom("api_keys").selectAll().where("workspace_id", "=", workspaceId);
    if (page.after !== undefined) query = query.where("id", "<", page.after);
    const rows = await query
      .orderBy("id", "desc")
      .limit(page.limit + 1)
      .execute();
    return pageFrom(rows, page.limit, { item: toKey, cursor: (row) => row.id });
  }

  async revokeKey(workspaceId: string, id: string, nowMs: number): Promise<ApiKey | null> {
    await this.#database
      .updateTable("api_keys")
      .set({ revoked_at: nowMs })
      .where("workspace_id", "=", workspaceId)
      .where("id", "=", id)
      .where("revoked_at", "is", null)
      .execute();
    const row = await this.#database
      .selectFrom("api_keys")
      .selectAll()
      .where("workspace_id", "=", workspaceId)
      .where("id", "=", id)
      .executeTakeFirst();
    return row === undefined ? null : toKey(row);
  }

  async replaceSecret(
    workspaceId: string,
    name: string,
    secret: Pick<NewKey, "prefix" | "secretHash">,
  ): Promise<boolean> {
    const { numUpdatedRows } = await this.#database
      .updateTable("api_keys")
      .set({ prefix: secret.prefix, secret_hash: secret.secretHash })
      .where("workspace_id", "=", workspaceId)
      .where("name", "=", name)
      .where("revoked_at", "is", null)
      .executeTakeFirstOrThrow();
    return numUpdatedRows > 0n;
  }

  async findVerifier(prefix: string): Promise<KeyVerifier | undefined> {
    const row = await this.#verifiers().where("api_keys.prefix", "=", prefix).executeTakeFirst();
    return row === undefined ? undefined : toVerifier(row);
  }

  async listVerifiers(nowMs: number): Promise<readonly KeyVerifier[]> {
    const rows = await this.#verifiers()
      .where("revoked_at", "is", null)
      .where((of) => of.or([of("expires_at", "is", null), of("expires_at", ">", nowMs)]))
      .execute();
    return rows.map(toVerifier);
  }

  async touchKey(id: string, nowMs: number): Promise<void> {
    await this.#database.updateTable("api_keys").set({ last_used_at: nowMs }).where("id", "=", id).execute();
  }

  #verifiers() {
    return this.#database
      .selectFrom("api_keys")
      .innerJoin("workspaces", "workspaces.id", "api_keys.workspace_id")
      .selectAll("api_keys")
      .select("workspaces.name as workspace_name");
  }
}
