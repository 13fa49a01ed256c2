import type { DigestText, Page, PageRequest } from "../foundation/index.ts";
import type { DatasetSummary, NewDatasetVersion, StoredDatasetVersion } from "./dataset-version.ts";

/** A blob that an import is about to write. */
export interface BlobClaim {
  /** Id of the version to be. */
  readonly versionId: string;
  readonly digest: DigestText;
  /** Whether the bytes already lie in the blob store. */
  readonly present: boolean;
}

/**
 * Knows datasets, their versions, and which blob is needed by which version.
 * Not responsible for the blobs themselves.
 */
export interface DatasetStore {
  /** One version, or `null` when the workspace has none of that name and number. */
  findVersion(workspaceId: string, name: string, version: number): Promise<StoredDatasetVersion | null>;
  /** Datasets with their newest versions. */
  listDatasets(workspaceId: string, page: PageRequest): Promise<Page<DatasetSummary>>;
  /** Versions of a dataset; `null` when there is no dataset of that name. */
  listVersions(workspaceId: string, name: string, page: PageRequest): Promise<Page<StoredDatasetVersion> | null>;
  /**
   * Adds a version under the next number and makes the dataset if it is new. When the dataset already has a version
   * of the same digest, nothing is added and that version is returned with `created: false`.
   */
  addVersion(
    workspaceId: string,
    name: string,
    version: NewDatasetVersion,
  ): Promise<{ readonly stored: StoredDatasetVersion; readonly created: boolean }>;
  /** Notes that a version to be needs a blob; must be durable before the blob is written. */
  claimBlob(workspaceId: string, claim: BlobClaim): Promise<void>;
  /** Blobs that only this version (or import) claims, except those to keep: free to delete. */
  unneededBlobs(workspaceId: string, versionId: string, keep: ReadonlySet<string>): Promise<readonly DigestText[]>;
  /** Forgets the claims of a version except the digests to keep. */
  dropClaims(workspaceId: string, versionId: string, keep: ReadonlySet<string>): Promise<void>;
  /** Ids of imports with claims but no version: under way, or cut off when a process died. */
  unfinishedImports(workspaceId: string): Promise<readonly string[]>;
  /** Workspaces that have unfinished imports; for housekeeping at start only. */
  workspacesWithUnfinishedImports(): Promise<readonly string[]>;
}
