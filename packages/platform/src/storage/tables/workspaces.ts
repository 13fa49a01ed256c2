import type { GeneratedAlways } from "kysely";

/** Tenants. Every other table carries `workspace_id`. */
export interface WorkspacesTable {
  id: string;
  name: string;
  created_at: number;
  /** Quotas; null is no bound. */
  storage_bytes_max: number | null;
  active_runs_max: number | null;
  endpoints_max: number | null;
}

/** API keys: only the keyed hash of the secret is kept. */
export interface ApiKeysTable {
  id: string;
  workspace_id: string;
  name: string;
  prefix: string;
  /** HMAC-SHA-256 of the secret under the data directory's pepper, hexadecimal. */
  secret_hash: string;
  /** JSON array of scopes. */
  scopes: string;
  created_at: number;
  expires_at: number | null;
  revoked_at: number | null;
  last_used_at: number | null;
  /** Member whose role bounds the key. */
  member_id: string | null;
  /** Key that has taken this one's place; until it expires it works on. */
  replaced_by: string | null;
}

/** The audit log: one chain a workspace. */
export interface AuditRecordsTable {
  workspace_id: string;
  sequence: number;
  /** The sealed record as JSON. */
  record: string;
  /** Read off the record. */
  at: GeneratedAlways<string>;
  operation: GeneratedAlways<string>;
}

/** Members of workspaces. */
export interface MembersTable {
  id: string;
  workspace_id: string;
  name: string;
  role: string;
  created_at: number;
}
