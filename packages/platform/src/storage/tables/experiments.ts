/** Questions that runs try to answer. */
export interface ExperimentsTable {
  workspace_id: string;
  name: string;
  created_at: number;
}

/** Attempts; those in state `queued` are the queue. */
export interface RunsTable {
  id: string;
  workspace_id: string;
  experiment: string;
  state: string;
  /** JSON of code and detail. */
  reason: string | null;
  /** JSON of the request. */
  request: string;
  created_at: number;
  started_at: number | null;
  ended_at: number | null;
  attempts: number;
  /** JSON, as of the run's end. */
  progress: string | null;
  /** JSON, as of the run's end. */
  metrics: string;
  evaluation: string | null;
  registered: string | null;
  lease_owner: string | null;
  lease_until: number | null;
}
