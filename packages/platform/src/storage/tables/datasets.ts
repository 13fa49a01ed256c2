/** Datasets: a name and its versions. */
export interface DatasetsTable {
  id: string;
  workspace_id: string;
  name: string;
  created_at: number;
}

/** Immutable versions; the data lies in blobs that the manifest names. */
export interface DatasetVersionsTable {
  id: string;
  workspace_id: string;
  dataset_id: string;
  version: number;
  /** Digest of the manifest. */
  digest: string;
  created_at: number;
  /** The version as JSON: what `datasets.show` answers beyond the columns here. */
  description: string;
  /** Digest of the profile's JSON. */
  profile_digest: string;
}

/** Which version, or which import still under way, needs which blob. */
export interface DatasetBlobsTable {
  workspace_id: string;
  /** Id of the version; without a row in `dataset_versions` it is an import under way or abandoned. */
  version_id: string;
  digest: string;
  /** 0 when the blob was there before any dataset named it: then it is not ours to delete. */
  owned: number;
}
