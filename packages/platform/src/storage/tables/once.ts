/** What a request with an idempotency key made. */
export interface OnceTable {
  workspace_id: string;
  key: string;
  /** Digest of the request. */
  request: string;
  /** Identifier of what was made, in its own table. */
  reference: string;
  created_at: number;
}
