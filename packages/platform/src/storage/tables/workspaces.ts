/** Tenants. Every other table carries `workspace_id`. */
export interface WorkspacesTable {
  id: string;
  name: string;
  created_at: number;
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
}
