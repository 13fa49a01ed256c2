import type { DatasetVersion } from "@modelyard/contracts";
import type { DigestText } from "../foundation/index.ts";

/** A version as it is kept: what clients see, and where its profile lies. */
export interface StoredDatasetVersion {
  /** Server-made id; while the import runs it names the import. */
  readonly id: string;
  readonly version: DatasetVersion;
  readonly profileDigest: DigestText;
}

/** What an import wants to add; number and dataset are the store's to give. */
export interface NewDatasetVersion {
  readonly id: string;
  readonly createdAtMs: number;
  readonly digest: DigestText;
  readonly profileDigest: DigestText;
  readonly description: DatasetDescription;
}

/** What is said of a version beyond its name, number, digest and time. */
export type DatasetDescription = Omit<DatasetVersion, "dataset" | "version" | "digest" | "createdAt">;

/** A name with its newest version. */
export interface DatasetSummary {
  readonly name: string;
  readonly createdAtMs: number;
  readonly versions: number;
  readonly latest: StoredDatasetVersion;
}
