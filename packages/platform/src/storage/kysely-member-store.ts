import type { Role } from "@modelyard/contracts";
import type { Kysely, Selectable } from "kysely";
import { type Page, type PageRequest, PlatformError } from "../foundation/index.ts";
import type { MemberStore, StoredMember } from "../workspaces/index.ts";
import { pageFrom } from "./page-from.ts";
import type { Schema } from "./schema.ts";
import type { MembersTable } from "./tables/workspaces.ts";

const toMember = (row: Selectable<MembersTable>): StoredMember => ({
  id: row.id,
  name: row.name,
  // Written by this adapter alone, from a parsed role.
  role: row.role as Role,
  createdAtMs: row.created_at,
});

/** Keeps members in the metadata database. */
export class KyselyMemberStore implements MemberStore {
  readonly #database: Kysely<Schema>;

  constructor(database: Kysely<Schema>) {
    this.#database = database;
  }

  async addMember(workspaceId: string, member: StoredMember): Promise<void> {
    const { id, name, role, createdAtMs } = member;
    const { numInsertedOrUpdatedRows } = await this.#database
      .insertInto("members")
      .values({ id, workspace_id: workspaceId, name, role, created_at: createdAtMs })
      .onConflict((conflict) => conflict.columns(["workspace_id", "name"]).doNothing())
      .executeTakeFirstOrThrow();
    if (numInsertedOrUpdatedRows === 0n) {
      throw new PlatformError("already-exists", `The workspace has a member "${name}". Choose another name.`);
    }
  }

  async findMember(workspaceId: string, name: string): Promise<StoredMember | null> {
    const row = await this.#database
      .selectFrom("members")
      .selectAll()
      .where("workspace_id", "=", workspaceId)
      .where("name", "=", name)
      .executeTakeFirst();
    return row === undefined ? null : toMember(row);
  }

  async listMembers(workspaceId: string, page: PageRequest): Promise<Page<StoredMember>> {
    let query = this.#database.selectFrom("members").selectAll().where("workspace_id", "=", workspaceId);
    if (page.after !== undefined) query = query.where("id", "<", page.after);
    const rows = await query
      .orderBy("id", "desc")
      .limit(page.limit + 1)
      .execute();
    return pageFrom(rows, page.limit, { item: toMember, cursor: (row) => row.id });
  }

  async setRole(workspaceId: string, name: string, role: Role): Promise<boolean> {
    const { numUpdatedRows } = await this.#database
      .updateTable("members")
      .set({ role })
      .where("workspace_id", "=", workspaceId)
      .where("name", "=", name)
      .executeTakeFirstOrThrow();
    return numUpdatedRows > 0n;
  }

  removeMember(workspaceId: string, name: string, nowMs: number): Promise<boolean> {
    return this.#database.transaction().execute(async (transaction) => {
      const member = await transaction
        .selectFrom("members")
        .select("id")
        .where("workspace_id", "=", workspaceId)
        .where("name", "=", name)
        .executeTakeFirst();
      if (member === undefined) return false;
      await transaction
        .updateTable("api_keys")
        .set({ revoked_at: nowMs })
        .where("member_id", "=", member.id)
        .where("revoked_at", "is", null)
        .execute();
      await transaction.deleteFrom("members").where("id", "=", member.id).execute();
      return true;
    });
  }
}
