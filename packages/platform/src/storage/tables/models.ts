import type { Generated } from "kysely";

/** Models: names. */
export interface ModelsTable {
  workspace_id: string;
  name: string;
  created_at: number;
}

/** Immutable versions. */
export interface ModelVersionsTable {
  id: string;
  workspace_id: string;
  model: string;
  version: number;
  /** Digest of the artefact's manifest. */
  digest: string;
  created_at: number;
  bytes: number;
  /** The manifest as JSON. */
  artefact: string;
}

/** Where each alias points now. */
export interface ModelAliasesTable {
  workspace_id: string;
  model: string;
  alias: string;
  version: number;
  since: number;
}

/** Every move of an alias. */
export interface ModelAliasMovesTable {
  id: Generated<number>;
  workspace_id: string;
  model: string;
  alias: string;
  from_version: number | null;
  to_version: number;
  at: number;
  by_key: string | null;
}
