import type { AliasMove, LiveAlias, Model } from "@modelyard/contracts";
import type { Kysely, Selectable, Transaction } from "kysely";
import { type DigestText, failpoint, type Page, type PageRequest, timestamp } from "../foundation/index.ts";
import type { ModelStore, NewAliasMove, NewModelVersion, StoredModelVersion } from "../models/index.ts";
import { findOnce, rememberOnce } from "./claim-once.ts";
import { pageFrom } from "./page-from.ts";
import type { Schema } from "./schema.ts";
import { checkQuotaIn } from "./workspace-usage.ts";
import type { ModelAliasMovesTable, ModelVersionsTable } from "./tables/models.ts";

type VersionRow = Selectable<ModelVersionsTable>;

interface ModelKey {
  readonly workspaceId: string;
  readonly model: string;
}

const toMove = (
  row: Pick<Selectable<ModelAliasMovesTable>, "alias" | "from_version" | "to_version" | "at" | "by_key">,
): AliasMove => ({
  alias: row.alias,
  from: row.from_version,
  to: row.to_version,
  at: timestamp(row.at),
  by: row.by_key,
});

const aliasesOf = (database: Kysely<Schema>, { workspaceId, model }: ModelKey) =>
  database
    .selectFrom("model_aliases")
    .selectAll()
    .where("workspace_id", "=", workspaceId)
    .where("model", "=", model)
    .orderBy("alias", "asc")
    .execute();

/** Keeps models in the metadata database. */
export class KyselyModelStore implements ModelStore {
  readonly #database: Kysely<Schema>;

  constructor(database: Kysely<Schema>) {
    this.#database = database;
  }

  addVersion(
    workspaceId: string,
    model: string,
    version: NewModelVersion & { readonly firstAlias: string },
  ): Promise<{ readonly stored: StoredModelVersion; readonly created: boolean }> {
    return this.#database.transaction().execute(async (transaction) => {
      await transaction
        .insertInto("models")
        .values({ workspace_id: workspaceId, name: model, created_at: version.createdAtMs })
        .onConflict((conflict) => conflict.columns(["workspace_id", "name"]).doNothing())
        .execute();
      const versions = transaction
        .selectFrom("model_versions")
        .where("workspace_id", "=", workspaceId)
        .where("model", "=", model);
      const existing = await versions.selectAll().where("digest", "=", version.digest).executeTakeFirst();
      if (existing !== undefined) return { stored: await this.#toStored(existing, transaction), created: false };
      await checkQuotaIn(transaction, workspaceId, { thing: "storageBytes", amount: version.bytes });
      const newest = await versions.select((of) => of.fn.max("version").as("version")).executeTakeFirst();
      const row: VersionRow = {
        id: version.id,
        workspace_id: workspaceId,
        model,
        version: (newest?.version ?? 0) + 1,
        digest: version.digest,
        created_at: version.createdAtMs,
        bytes: version.bytes,
        artefact: JSON.stringify(version.artefact),
      };
      await transaction.insertInto("model_versions").values(row).execute();
      failpoint("version.half-added");
      if (row.version === 1) {
        const move = { alias: version.firstAlias, to: 1, atMs: version.createdAtMs, by: null };
        await this.#move(transaction, { workspaceId, model }, move);
      }
      return { stored: await this.#toStored(row, transaction), created: true };
    });
  }

  async listModels(workspaceId: string, page: PageRequest): Promise<Page<Model>> {
    let query = this.#database.selectFrom("models").selectAll().where("workspace_id", "=", workspaceId);
    if (page.after !== undefined) query = query.where("name", ">", page.after);
    const rows = await query
      .orderBy("name", "asc")
      .limit(page.limit + 1)
      .execute();
    const names = pageFrom(rows, page.limit, { item: (row) => row.name, cursor: (row) => row.name });
    const found = await Promise.all(names.items.map((name) => this.findModel(workspaceId, name)));
    return { items: found.filter((model) => model !== null), next: names.next };
  }

  async findModel(workspaceId: string, name: string): Promise<Model | null> {
    const row = await this.#database
      .selectFrom("models")
      .select("created_at")
      .where("workspace_id", "=", workspaceId)
      .where("name", "=", name)
      .executeTakeFirst();
    if (row === undefined) return null;
    const counted = await this.#versions({ workspaceId, model: name })
      .select((of) => [of.fn.countAll<number>().as("versions"), of.fn.max("version").as("latest")])
      .executeTakeFirstOrThrow();
    const aliases = await aliasesOf(this.#database, { workspaceId, model: name });
    return {
      name,
      createdAt: timestamp(row.created_at),
      versions: counted.versions,
      latest: counted.latest,
      aliases: aliases.map(({ alias, version, since }) => ({ alias, version, since: timestamp(since) })),
    };
  }

  async listVersions(workspaceId: string, model: string, page: PageRequest): Promise<Page<StoredModelVersion> | null> {
    if ((await this.findModel(workspaceId, model)) === null) return null;
    let query = this.#versions({ workspaceId, model }).selectAll();
    if (page.after !== undefined) query = query.where("version", "<", Number(page.after) || 0);
    const rows = await query
      .orderBy("version", "desc")
      .limit(page.limit + 1)
      .execute();
    const stored = await Promise.all(rows.map((row) => this.#toStored(row, this.#database)));
    return pageFrom(stored, page.limit, { item: (row) => row, cursor: (row) => String(row.version) });
  }

  async findVersion(workspaceId: string, model: string, version: number): Promise<StoredModelVersion | null> {
    const row = await this.#versions({ workspaceId, model })
      .selectAll()
      .where("version", "=", version)
      .executeTakeFirst();
    return row === undefined ? null : this.#toStored(row, this.#database);
  }

  async findByAlias(workspaceId: string, model: string, alias: string): Promise<StoredModelVersion | null> {
    const aliases = await aliasesOf(this.#database, { workspaceId, model });
    const found = aliases.find((row) => row.alias === alias);
    return found === undefined ? null : this.findVersion(workspaceId, model, found.version);
  }

  moveAlias(workspaceId: string, model: string, move: NewAliasMove): Promise<AliasMove | null> {
    return this.#database.transaction().execute(async (transaction) => {
      const earlier = await findOnce(transaction, workspaceId, move.once);
      if (earlier !== null) return this.#moveOf(transaction, workspaceId, Number(earlier));
      const target = await transaction
        .selectFrom("model_versions")
        .select("id")
        .where("workspace_id", "=", workspaceId)
        .where("model", "=", model)
        .where("version", "=", move.to)
        .executeTakeFirst();
      return target === undefined ? null : this.#move(transaction, { workspaceId, model }, move);
    });
  }

  async aliasesAt(workspaceId: string, model: string, atMs: number): Promise<readonly LiveAlias[]> {
    const rows = await this.#database
      .selectFrom("model_alias_moves as move")
      .select(["alias", "to_version", "at"])
      .where("workspace_id", "=", workspaceId)
      .where("model", "=", model)
      .where("id", "=", (of) =>
        of
          .selectFrom("model_alias_moves as last")
          .select((last) => last.fn.max("last.id").as("id"))
          .where("last.workspace_id", "=", workspaceId)
          .where("last.model", "=", model)
          .whereRef("last.alias", "=", "move.alias")
          .where("last.at", "<=", atMs),
      )
      .orderBy("alias")
      .execute();
    return rows.map((row) => ({ alias: row.alias, version: row.to_version, since: timestamp(row.at) }));
  }

  async aliasHistory(
    workspaceId: string,
    { model, alias }: { readonly model: string; readonly alias: string },
    page: PageRequest,
  ): Promise<Page<AliasMove>> {
    let query = this.#database
      .selectFrom("model_alias_moves")
      .selectAll()
      .where("workspace_id", "=", workspaceId)
      .where("model", "=", model)
      .where("alias", "=", alias);
    if (page.after !== undefined) query = query.where("id", "<", Number(page.after) || 0);
    const rows = await query
      .orderBy("id", "desc")
      .limit(page.limit + 1)
      .execute();
    return pageFrom(rows, page.limit, { item: toMove, cursor: (row) => String(row.id) });
  }

  #versions({ workspaceId, model }: ModelKey) {
    return this.#database
      .selectFrom("model_versions")
      .where("workspace_id", "=", workspaceId)
      .where("model", "=", model);
  }

  async #move(
    transaction: Transaction<Schema>,
    { workspaceId, model }: ModelKey,
    move: NewAliasMove,
  ): Promise<AliasMove> {
    const current = (await aliasesOf(transaction, { workspaceId, model })).find(({ alias }) => alias === move.alias);
    const row = {
      workspace_id: workspaceId,
      model,
      alias: move.alias,
      from_version: current?.version ?? null,
      to_version: move.to,
      at: move.atMs,
      by_key: move.by,
    };
    await transaction
      .insertInto("model_aliases")
      .values({ workspace_id: workspaceId, model, alias: move.alias, version: move.to, since: move.atMs })
      .onConflict((conflict) =>
        conflict.columns(["workspace_id", "model", "alias"]).doUpdateSet({ version: move.to, since: move.atMs }),
      )
      .execute();
    failpoint("alias.half-moved");
    const { id } = await transaction
      .insertInto("model_alias_moves")
      .values(row)
      .returning("id")
      .executeTakeFirstOrThrow();
    await rememberOnce(transaction, move.once, { workspaceId, reference: String(id), atMs: move.atMs });
    return toMove(row);
  }

  async #moveOf(transaction: Transaction<Schema>, workspaceId: string, id: number): Promise<AliasMove> {
    const row = await transaction
      .selectFrom("model_alias_moves")
      .selectAll()
      .where("workspace_id", "=", workspaceId)
      .where("id", "=", id)
      .executeTakeFirstOrThrow();
    return toMove(row);
  }

  async #toStored(row: VersionRow, database: Kysely<Schema>): Promise<StoredModelVersion> {
    const aliases = await aliasesOf(database, { workspaceId: row.workspace_id, model: row.model });
    return {
      id: row.id,
      model: row.model,
      version: row.version,
      digest: row.digest as DigestText,
      createdAtMs: row.created_at,
      bytes: row.bytes,
      aliases: aliases.filter(({ version }) => version === row.version).map(({ alias }) => alias),
      // Written by this adapter alone, from a parsed manifest.
      artefact: JSON.parse(row.artefact) as StoredModelVersion["artefact"],
    };
  }
}
