import type { ColumnProfile, DatasetVersion } from "@modelyard/contracts";
import { notFound, type Page, type PageRequest } from "../foundation/index.ts";
import type { BlobStore } from "../storage/blob-store.ts";
import type { DatasetStore } from "./dataset-store.ts";
import type { StoredDatasetVersion } from "./dataset-version.ts";

/** Which version of which dataset. */
export interface DatasetVersionKey {
  readonly name: string;
  readonly version: number;
}

/**
 * Finds a version.
 * @throws PlatformError `not-found`.
 */
export const showDataset = async (
  store: DatasetStore,
  workspaceId: string,
  { name, version }: DatasetVersionKey,
): Promise<StoredDatasetVersion> => {
  const found = await store.findVersion(workspaceId, name, version);
  if (found === null) throw notFound(`dataset version ${name}@${version}`);
  return found;
};

/**
 * Lists the versions of a dataset, newest first.
 * @throws PlatformError `not-found` when there is no dataset of that name.
 */
export const listDatasetVersions = async (
  store: DatasetStore,
  workspaceId: string,
  { name, page }: { readonly name: string; readonly page: PageRequest },
): Promise<Page<DatasetVersion>> => {
  const found = await store.listVersions(workspaceId, name, page);
  if (found === null) throw notFound(`dataset ${name}`);
  return { items: found.items.map((stored) => stored.version), next: found.next };
};

/** Reads the statistics of a version's columns. */
export const profileDataset = async (blobs: BlobStore, stored: StoredDatasetVersion): Promise<ColumnProfile[]> =>
  // Written by the import, and its digest is proved.
  JSON.parse(new TextDecoder().decode(await blobs.get(stored.profileDigest))) as ColumnProfile[];
