import type { AliasMove, ArtefactManifest, LiveAlias, Model } from "@modelyard/contracts";
import type { DigestText, Once, Page, PageRequest } from "../foundation/index.ts";
import type { StoredModelVersion } from "./model-version.ts";

/** A version to be added; the store gives the number. */
export interface NewModelVersion {
  readonly id: string;
  readonly digest: DigestText;
  readonly createdAtMs: number;
  readonly bytes: number;
  readonly artefact: ArtefactManifest;
}

/** A move to be made. */
export interface NewAliasMove {
  readonly alias: string;
  readonly to: number;
  readonly atMs: number;
  /** Id of the key that asks; `null` for the platform itself. */
  readonly by: string | null;
  readonly once?: Once | undefined;
}

/** Knows models, versions and aliases. Not responsible for the artefacts' files. */
export interface ModelStore {
  /**
   * Adds a version under the next number and makes the model if it is new; the model's first version gets `firstAlias`.
   * When the model already has a version of the digest, that one is returned and nothing is added.
   */
  addVersion(
    workspaceId: string,
    model: string,
    version: NewModelVersion & { readonly firstAlias: string },
  ): Promise<{ readonly stored: StoredModelVersion; readonly created: boolean }>;
  listModels(workspaceId: string, page: PageRequest): Promise<Page<Model>>;
  findModel(workspaceId: string, name: string): Promise<Model | null>;
  /** Versions, newest first; `null` when there is no such model. */
  listVersions(workspaceId: string, model: string, page: PageRequest): Promise<Page<StoredModelVersion> | null>;
  findVersion(workspaceId: string, model: string, version: number): Promise<StoredModelVersion | null>;
  /** The version that an alias names now. */
  findByAlias(workspaceId: string, model: string, alias: string): Promise<StoredModelVersion | null>;
  /**
   * Moves an alias and remembers the move, both or neither; `null` when there is no such version. A request that was
   * made before changes nothing and gets its move.
   * @throws PlatformError `idempotency-key-reused`.
   */
  moveAlias(workspaceId: string, model: string, move: NewAliasMove): Promise<AliasMove | null>;
  /** Where every alias of a model pointed at a moment, by name. */
  aliasesAt(workspaceId: string, model: string, atMs: number): Promise<readonly LiveAlias[]>;
  /** Moves of an alias, newest first. */
  aliasHistory(
    workspaceId: string,
    alias: { readonly model: string; readonly alias: string },
    page: PageRequest,
  ): Promise<Page<AliasMove>>;
}
