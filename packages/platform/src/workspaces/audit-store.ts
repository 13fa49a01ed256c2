import type { AuditRecord } from "@modelyard/contracts";
import type { Page, PageRequest } from "../foundation/index.ts";

/** A refused request, or several equal ones. */
export interface Denial {
  readonly operation: string;
  readonly actor: AuditRecord["actor"];
  readonly requestId: string | null;
  /** Why, e.g. `forbidden`. */
  readonly reason: string;
  readonly count: number;
}

/** Which records to read. */
export interface AuditFilter {
  readonly operation?: string | undefined;
  /** Only records up to this moment. */
  readonly untilMs?: number | undefined;
}

/**
 * The append-only log of every workspace. Changes enter it by themselves, in the transaction that makes them; only
 * refusals are added by hand.
 */
export interface AuditStore {
  addDenial(workspaceId: string, denial: Denial): Promise<void>;
  /** Records of a workspace, newest first. */
  listRecords(workspaceId: string, page: PageRequest, filter: AuditFilter): Promise<Page<AuditRecord>>;
  /** Records of a workspace from a sequence number on, oldest first. */
  recordsFrom(workspaceId: string, sequence: number, limit: number): Promise<readonly AuditRecord[]>;
  /** The last record of every workspace. */
  heads(): Promise<readonly { readonly workspaceId: string; readonly sequence: number; readonly hash: string }[]>;
  /** Removes records older than a moment, up to a sequence number that a checkpoint covers; returns how many. */
  removeOlder(workspaceId: string, beforeMs: number, throughSequence: number): Promise<number>;
}
