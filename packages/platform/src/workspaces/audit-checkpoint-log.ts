import type { AuditCheckpoint } from "@modelyard/contracts";

/** Signed ends of the audit chains, kept apart from the database that holds the chains. */
export interface AuditCheckpointLog {
  /** Ed25519 public key of this installation, PEM. */
  readonly publicKey: string;
  /** Signs and keeps checkpoints; on disk when it settles. */
  append(heads: readonly Omit<AuditCheckpoint, "signature">[]): Promise<void>;
  /** Checkpoints of a workspace, oldest first. */
  read(workspaceId: string): Promise<readonly AuditCheckpoint[]>;
}
