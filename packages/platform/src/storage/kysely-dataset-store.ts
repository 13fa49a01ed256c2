import type { DatasetVersion } from "@modelyard/contracts";
import type { Kysely, Selectable } from "kysely";
import {
  type DigestText,
  failpoint,
  newIdentifier,
  type Page,
  type PageRequest,
  timestamp,
} from "../foundation/index.ts";
import type {
  BlobClaim,
  DatasetDescription,
  DatasetStore,
  DatasetSummary,
  NewDatasetVersion,
  StoredDatasetVersion,
} from "../datasets/index.ts";
import { pageFrom } from "./page-from.ts";
import type { Schema } from "./schema.ts";
import { checkQuotaIn } from "./workspace-usage.ts";
import type { DatasetVersionsTable } from "./tables/datasets.ts";

type VersionRow = Selectable<DatasetVersionsTable>;

const toStored = (name: string, row: VersionRow): StoredDatasetVersion => {
  // Written by this adapter alone, from a parsed value.
  const description = JSON.parse(row.description) as DatasetDescription;
  const version: DatasetVersion = {
    dataset: name,
    version: row.version,
    digest: row.digest,
    createdAt: timestamp(row.created_at),
    ...description,
  };
  return { id: row.id, version, profileDigest: row.profile_digest as DigestText };
};

/** Keeps datasets in the metadata database. */
export class KyselyDatasetStore implements DatasetStore {
  readonly #database: Kysely<Schema>;

  constructor(database: Kysely<Schema>) {
    this.#database = database;
  }

  async findVersion(workspaceId: string, name: string, version: number): Promise<StoredDatasetVersion | null> {
    const row = await this.#database
      .selectFrom("dataset_versions")
      .innerJoin("datasets", "datasets.id", "dataset_versions.dataset_id")
      .selectAll("dataset_versions")
      .where("datasets.workspace_id", "=", workspaceId)
      .where("datasets.name", "=", name)
      .where("dataset_versions.version", "=", version)
      .executeTakeFirst();
    return row === undefined ? null : toStored(name, row);
  }

  async listDatasets(workspaceId: string, page: PageRequest): Promise<Page<DatasetSummary>> {
    let query = this.#database
      .selectFrom("datasets")
      .innerJoin("dataset_versions", "dataset_versions.dataset_id", "datasets.id")
      .selectAll("dataset_versions")
      .select(["datasets.name", "datasets.id as dataset", "datasets.created_at as dataset_created_at"])
      .select((of) =>
        of
          .selectFrom("dataset_versions as counted")
          .whereRef("counted.dataset_id", "=", "datasets.id")
          .select((all) => all.fn.countAll<number>().as("count"))
          .as("versions"),
      )
      .where("datasets.workspace_id", "=", workspaceId)
      .where("dataset_versions.version", "=", (of) =>
        of
          .selectFrom("dataset_versions as newest")
          .whereRef("newest.dataset_id", "=", "datasets.id")
          .select((all) => all.fn.max("newest.version").as("version")),
      );
    if (page.after !== undefined) query = query.where("datasets.id", "<", page.after);
    const rows = await query
      .orderBy("datasets.id", "desc")
      .limit(page.limit + 1)
      .execute();
    return pageFrom(rows, page.limit, {
      item: (row) => ({
        name: row.name,
        createdAtMs: row.dataset_created_at,
        versions: row.versions ?? 0,
        latest: toStored(row.name, row),
      }),
      cursor: (row) => row.dataset,
    });
  }

  async listVersions(workspaceId: string, name: string, page: PageRequest): Promise<Page<StoredDatasetVersion> | null> {
    const dataset = await this.#database
      .selectFrom("datasets")
      .select("id")
      .where("workspace_id", "=", workspaceId)
      .where("name", "=", name)
      .executeTakeFirst();
    if (dataset === undefined) return null;
    let query = this.#database
      .selectFrom("dataset_versions")
      .selectAll()
      .where("workspace_id", "=", workspaceId)
      .where("dataset_id", "=", dataset.id);
    if (page.after !== undefined) query = query.where("version", "<", Number(page.after) || 0);
    const rows = await query
      .orderBy("version", "desc")
      .limit(page.limit + 1)
      .execute();
    return pageFrom(rows, page.limit, {
      item: (row) => toStored(name, row),
      cursor: (row) => String(row.version),
    });
  }

  addVersion(
    workspaceId: string,
    name: string,
    version: NewDatasetVersion,
  ): Promise<{ readonly stored: StoredDatasetVersion; readonly created: boolean }> {
    return this.#database.transaction().execute(async (transaction) => {
      const datasetId = newIdentifier("ds", version.createdAtMs);
      await transaction
        .insertInto("datasets")
        .values({ id: datasetId, workspace_id: workspaceId, name, created_at: version.createdAtMs })
        .onConflict((conflict) => conflict.columns(["workspace_id", "name"]).doNothing())
        .execute();
      const dataset = await transaction
        .selectFrom("datasets")
        .select("id")
        .where("workspace_id", "=", workspaceId)
        .where("name", "=", name)
        .executeTakeFirstOrThrow();
      const versions = transaction
        .selectFrom("dataset_versions")
        .where("workspace_id", "=", workspaceId)
        .where("dataset_id", "=", dataset.id);
      const existing = await versions.selectAll().where("digest", "=", version.digest).executeTakeFirst();
      if (existing !== undefined) return { stored: toStored(name, existing), created: false };
      await checkQuotaIn(transaction, workspaceId, { thing: "storageBytes", amount: version.description.bytes });
      const newest = await versions.select((of) => of.fn.max("version").as("version")).executeTakeFirst();
      const row = {
        id: version.id,
        workspace_id: workspaceId,
        dataset_id: dataset.id,
        version: (newest?.version ?? 0) + 1,
        digest: version.digest,
        created_at: version.createdAtMs,
        description: JSON.stringify(version.description),
        profile_digest: version.profileDigest,
      };
      failpoint("dataset.half-added");
      await transaction.insertInto("dataset_versions").values(row).execute();
      return { stored: toStored(name, row), created: true };
    });
  }

  async claimBlob(workspaceId: string, claim: BlobClaim): Promise<void> {
    await this.#database.transaction().execute(async (transaction) => {
      const known = await transaction
        .selectFrom("dataset_blobs")
        .select((of) => of.fn.max("owned").as("owned"))
        .where("digest", "=", claim.digest)
        .executeTakeFirst();
      const owned = known?.owned ?? (claim.present ? 0 : 1);
      await transaction
        .insertInto("dataset_blobs")
        .values({ workspace_id: workspaceId, version_id: claim.versionId, digest: claim.digest, owned })
        .onConflict((conflict) => conflict.columns(["version_id", "digest"]).doNothing())
        .execute();
    });
  }

  async unneededBlobs(
    workspaceId: string,
    versionId: string,
    keep: ReadonlySet<string>,
  ): Promise<readonly DigestText[]> {
    const rows = await this.#database
      .selectFrom("dataset_blobs as mine")
      .select("mine.digest")
      .where("mine.workspace_id", "=", workspaceId)
      .where("mine.version_id", "=", versionId)
      .where("mine.owned", "=", 1)
      // Blobs are shared by all workspaces, so this question is asked without one.
      .where((of) =>
        of.not(
          of.exists(
            of
              .selectFrom("dataset_blobs as other")
              .select("other.digest")
              .whereRef("other.digest", "=", "mine.digest")
              .whereRef("other.version_id", "!=", "mine.version_id"),
          ),
        ),
      )
      .execute();
    return rows.map((row) => row.digest as DigestText).filter((digest) => !keep.has(digest));
  }

  async dropClaims(workspaceId: string, versionId: string, keep: ReadonlySet<string>): Promise<void> {
    await this.#database.transaction().execute(async (transaction) => {
      const claims = await transaction
        .selectFrom("dataset_blobs")
        .select("digest")
        .where("workspace_id", "=", workspaceId)
        .where("version_id", "=", versionId)
        .execute();
      for (const { digest } of claims.filter((claim) => !keep.has(claim.digest))) {
        await transaction
          .deleteFrom("dataset_blobs")
          .where("workspace_id", "=", workspaceId)
          .where("version_id", "=", versionId)
          .where("digest", "=", digest)
          .execute();
      }
    });
  }

  async unfinishedImports(workspaceId: string): Promise<readonly string[]> {
    const rows = await this.#unfinished().where("dataset_blobs.workspace_id", "=", workspaceId).execute();
    return [...new Set(rows.map((row) => row.version_id))];
  }

  async workspacesWithUnfinishedImports(): Promise<readonly string[]> {
    const rows = await this.#unfinished().execute();
    return [...new Set(rows.map((row) => row.workspace_id))];
  }

  #unfinished() {
    return this.#database
      .selectFrom("dataset_blobs")
      .leftJoin("dataset_versions", "dataset_versions.id", "dataset_blobs.version_id")
      .select(["dataset_blobs.workspace_id", "dataset_blobs.version_id"])
      .where("dataset_versions.id", "is", null);
  }
}
