import type { ArtefactManifest } from "@modelyard/contracts";

/** What a run made: the artefact, whose files lie in the blob store already. */
export interface TrainedModel {
  /** Digest of the manifest, which is a blob too. */
  readonly digest: string;
  readonly manifest: ArtefactManifest;
  /** Size of all files of the artefact. */
  readonly bytes: number;
}
