import { type ApiKey, type Role, type Scope, scopesWithin, type Usage } from "@modelyard/contracts";
import { type Kysely, type Selectable, sql, type Transaction } from "kysely";
import { newIdentifier, notFound, type Page, type PageRequest, PlatformError, timestamp } from "../foundation/index.ts";
import type { KeyVerifier, NewKey, QuotaChanges, Workspace, WorkspaceStore } from "../workspaces/index.ts";
import { pageFrom } from "./page-from.ts";
import { usageOf } from "./workspace-usage.ts";
import type { Schema } from "./schema.ts";
import type { ApiKeysTable, WorkspacesTable } from "./tables/workspaces.ts";

type KeyRow = Selectable<ApiKeysTable>;
/** A key's row with what the tables beside it say of it. */
type JoinedKeyRow = KeyRow & { readonly member_name: string | null; readonly member_role: string | null };
type WorkspaceRow = Selectable<WorkspacesTable>;

const moment = (ms: number | null): string | null => (ms === null ? null : timestamp(ms));
// Written by this adapter alone, from parsed scopes.
const scopesOf = (row: Pick<KeyRow, "scopes">): Scope[] => JSON.parse(row.scopes) as Scope[];

const toWorkspace = (row: WorkspaceRow): Workspace => ({
  id: row.id,
  name: row.name,
  createdAtMs: row.created_at,
  quotas: {
    storageBytesMax: row.storage_bytes_max,
    activeRunsMax: row.active_runs_max,
    endpointsMax: row.endpoints_max,
  },
});

const toKey = (row: Omit<JoinedKeyRow, "member_role">): ApiKey => ({
  id: row.id,
  name: row.name,
  prefix: row.prefix,
  scopes: scopesOf(row),
  createdAt: timestamp(row.created_at),
  expiresAt: moment(row.expires_at),
  revokedAt: moment(row.revoked_at),
  lastUsedAt: moment(row.last_used_at),
  member: row.member_name,
});

// Roles are written by the members' adapter alone.
const effectiveScopes = (row: JoinedKeyRow): readonly Scope[] =>
  row.member_role === null ? scopesOf(row) : scopesWithin(scopesOf(row), row.member_role as Role);

const toVerifier = (row: JoinedKeyRow & { readonly workspace_name: string }): KeyVerifier => ({
  id: row.id,
  name: row.name,
  prefix: row.prefix,
  secretHash: row.secret_hash,
  workspaceId: row.workspace_id,
  workspaceName: row.workspace_name,
  scopes: effectiveScopes(row),
  expiresAtMs: row.expires_at,
  revokedAtMs: row.revoked_at,
});

const unbounded = { storage_bytes_max: null, active_runs_max: null, endpoints_max: null };

const memberIdOf = async (
  transaction: Transaction<Schema>,
  workspaceId: string,
  name: string | null,
): Promise<string | null> => {
  if (name === null) return null;
  const member = await transaction
    .selectFrom("members")
    .select("id")
    .where("workspace_id", "=", workspaceId)
    .where("name", "=", name)
    .executeTakeFirst();
  if (member === undefined) throw notFound(`member "${name}"`);
  return member.id;
};

const insertKey = async (transaction: Transaction<Schema>, workspaceId: string, key: NewKey): Promise<ApiKey> => {
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
    member_id: await memberIdOf(transaction, workspaceId, key.memberName),
    replaced_by: null,
  };
  await transaction.insertInto("api_keys").values(row).execute();
  return toKey({ ...row, member_name: key.memberName });
};

/** Keeps workspaces and keys in the metadata database. */
export class KyselyWorkspaceStore implements WorkspaceStore {
  readonly #database: Kysely<Schema>;

  constructor(database: Kysely<Schema>) {
    this.#database = database;
  }

  async ensureWorkspace(name: string, nowMs: number): Promise<Workspace> {
    await this.#database
      .insertInto("workspaces")
      .values({ id: newIdentifier("ws", nowMs), name, created_at: nowMs, ...unbounded })
      .onConflict((conflict) => conflict.column("name").doNothing())
      .execute();
    const row = await this.#database
      .selectFrom("workspaces")
      .selectAll()
      .where("name", "=", name)
      .executeTakeFirstOrThrow();
    return toWorkspace(row);
  }

  async addWorkspace({ id, name, createdAtMs, quotas }: Workspace): Promise<void> {
    const { numInsertedOrUpdatedRows } = await this.#database
      .insertInto("workspaces")
      .values({
        id,
        name,
        created_at: createdAtMs,
        storage_bytes_max: quotas.storageBytesMax,
        active_runs_max: quotas.activeRunsMax,
        endpoints_max: quotas.endpointsMax,
      })
      .onConflict((conflict) => conflict.column("name").doNothing())
      .executeTakeFirstOrThrow();
    if (numInsertedOrUpdatedRows === 0n) {
      throw new PlatformError("already-exists", `There is a workspace "${name}". Choose another name.`);
    }
  }

  async findWorkspace(by: { readonly id: string } | { readonly name: string }): Promise<Workspace | null> {
    const query = this.#database.selectFrom("workspaces").selectAll();
    const row = await (
      "id" in by ? query.where("id", "=", by.id) : query.where("name", "=", by.name)
    ).executeTakeFirst();
    return row === undefined ? null : toWorkspace(row);
  }

  async listWorkspaces(page: PageRequest): Promise<Page<Workspace>> {
    let query = this.#database.selectFrom("workspaces").selectAll();
    if (page.after !== undefined) query = query.where("id", "<", page.after);
    const rows = await query
      .orderBy("id", "desc")
      .limit(page.limit + 1)
      .execute();
    return pageFrom(rows, page.limit, { item: toWorkspace, cursor: (row) => row.id });
  }

  async setQuotas(name: string, quotas: QuotaChanges): Promise<Workspace | null> {
    const { storageBytesMax, activeRunsMax, endpointsMax } = quotas;
    const changes = {
      ...(storageBytesMax !== undefined && { storage_bytes_max: storageBytesMax }),
      ...(activeRunsMax !== undefined && { active_runs_max: activeRunsMax }),
      ...(endpointsMax !== undefined && { endpoints_max: endpointsMax }),
    };
    if (Object.keys(changes).length > 0) {
      await this.#database.updateTable("workspaces").set(changes).where("name", "=", name).execute();
    }
    return this.findWorkspace({ name });
  }

  async usage(workspaceId: string): Promise<Usage> {
    return usageOf(this.#database, workspaceId);
  }

  addKey(workspaceId: string, key: NewKey): Promise<ApiKey> {
    return this.#database.transaction().execute(async (transaction) => {
      const taken = await transaction
        .selectFrom("api_keys")
        .select("id")
        .where("workspace_id", "=", workspaceId)
        .where("name", "=", key.name)
        .where("revoked_at", "is", null)
        .where("replaced_by", "is", null)
        .executeTakeFirst();
      if (taken !== undefined) {
        throw new PlatformError(
          "already-exists",
          `There is a live API key named "${key.name}". Choose another name, or revoke that key first.`,
        );
      }
      return insertKey(transaction, workspaceId, key);
    });
  }

  replaceKey(
    workspaceId: string,
    { id, key, oldUntilMs }: { readonly id: string; readonly key: NewKey; readonly oldUntilMs: number },
  ): Promise<ApiKey | null> {
    return this.#database.transaction().execute(async (transaction) => {
      const old = await transaction
        .selectFrom("api_keys")
        .select("expires_at")
        .where("workspace_id", "=", workspaceId)
        .where("id", "=", id)
        .where("revoked_at", "is", null)
        .where("replaced_by", "is", null)
        .where((of) => of.or([of("expires_at", "is", null), of("expires_at", ">", key.createdAtMs)]))
        .executeTakeFirst();
      if (old === undefined) return null;
      // The name is free for the new key as soon as the old one names its successor: checked at the end of the step.
      await sql`pragma defer_foreign_keys = on`.execute(transaction);
      await transaction
        .updateTable("api_keys")
        .set({ replaced_by: key.id, expires_at: Math.min(old.expires_at ?? oldUntilMs, oldUntilMs) })
        .where("id", "=", id)
        .execute();
      return insertKey(transaction, workspaceId, key);
    });
  }

  async findKey(workspaceId: string, id: string): Promise<ApiKey | null> {
    const row = await this.#keys()
      .where("api_keys.workspace_id", "=", workspaceId)
      .where("api_keys.id", "=", id)
      .executeTakeFirst();
    return row === undefined ? null : toKey(row);
  }

  async listKeys(workspaceId: string, page: PageRequest): Promise<Page<ApiKey>> {
    let query = this.#keys().where("api_keys.workspace_id", "=", workspaceId);
    if (page.after !== undefined) query = query.where("api_keys.id", "<", page.after);
    const rows = await query
      .orderBy("api_keys.id", "desc")
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
    return this.findKey(workspaceId, id);
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

  #keys() {
    return this.#database
      .selectFrom("api_keys")
      .leftJoin("members", "members.id", "api_keys.member_id")
      .selectAll("api_keys")
      .select(["members.name as member_name", "members.role as member_role"]);
  }

  #verifiers() {
    return this.#keys()
      .innerJoin("workspaces", "workspaces.id", "api_keys.workspace_id")
      .select("workspaces.name as workspace_name");
  }
}
