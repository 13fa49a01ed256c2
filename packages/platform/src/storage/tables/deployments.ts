/** Stable names and what should stand behind them. */
export interface EndpointsTable {
  id: string;
  workspace_id: string;
  name: string;
  /** `model@alias` or `model@version`. */
  model: string;
  /** How many replicas should run. */
  replicas: number;
  /** 1 when it should be served. */
  loaded: number;
  created_at: number;
}

/** Replicas that should run. */
export interface ReplicasTable {
  id: string;
  workspace_id: string;
  endpoint_id: string;
  model: string;
  version: number;
  /** Digest of the artefact's manifest. */
  digest: string;
  created_at: number;
}
