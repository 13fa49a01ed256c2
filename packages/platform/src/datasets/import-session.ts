import type { Stepwise } from "@modelyard/learn";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Blob, BlobStore } from "../storage/blob-store.ts";
import type { BlobLedger, BlobOwner } from "./blob-ledger.ts";

/** What an import is doing. */
export type ImportPhase = "read" | "hash" | "profile" | "store";

/** Longest stretch of work between two turns of the event loop. */
const busyLimitMs = 12;

/** One import under way: where its bytes go, how far it is, and its manners towards the rest of the process. */
export class ImportSession {
  readonly owner: BlobOwner;
  readonly signal: AbortSignal;
  /** To read back what was stored. */
  readonly blobs: Pick<BlobStore, "get" | "read">;
  readonly #ledger: BlobLedger;
  phase: ImportPhase = "read";
  rows = 0;
  totalRows: number | null = null;
  /** Bytes received, before decompression. */
  bytes = 0;
  #turnStartedMs = performance.now();

  constructor(
    stores: { readonly ledger: BlobLedger; readonly blobs: BlobStore },
    owner: BlobOwner,
    signal: AbortSignal,
  ) {
    this.#ledger = stores.ledger;
    this.blobs = stores.blobs;
    this.owner = owner;
    this.signal = signal;
  }

  /** Stores bytes for the version to be. */
  async store(bytes: Uint8Array): Promise<Blob> {
    const blob = await this.#ledger.put(this.owner, bytes);
    // Hashing kept the thread, and a store that keeps blobs in memory lets nobody else work meanwhile.
    await nextTurn();
    this.#turnStartedMs = performance.now();
    return blob;
  }

  /** Does work in its small pieces and lets others work between them. */
  async drive<Result>(work: Stepwise<Result>): Promise<Result> {
    for (let step = work.next(); ; step = work.next()) {
      if (step.done === true) return step.value;
      await this.breathe();
    }
  }

  /** Lets others work when this import has held the thread for a while; ends it when the client has gone. */
  async breathe(): Promise<void> {
    if (performance.now() - this.#turnStartedMs < busyLimitMs) return;
    await nextTurn();
    this.#turnStartedMs = performance.now();
    this.signal.throwIfAborted();
  }
}
