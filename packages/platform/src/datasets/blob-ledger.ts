import { digestOf, type DigestText, failpoint } from "../foundation/index.ts";
import type { Blob, BlobStore } from "../storage/blob-store.ts";
import type { DatasetStore } from "./dataset-store.ts";

/** Whose blobs: the version (or the import that is to become it) in its workspace. */
export interface BlobOwner {
  readonly workspaceId: string;
  readonly versionId: string;
}

/**
 * Writes blobs so that none is ever left without an owner: the claim is durable before the bytes are, and bytes go
 * only when no claim is left. One ledger per process, because claims and bytes are changed one owner at a time.
 */
export class BlobLedger {
  readonly #store: DatasetStore;
  readonly #blobs: BlobStore;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(store: DatasetStore, blobs: BlobStore) {
    this.#store = store;
    this.#blobs = blobs;
  }

  /** Stores bytes for an owner. */
  put(owner: BlobOwner, bytes: Uint8Array): Promise<Blob> {
    return this.#alone(async () => {
      const digest = digestOf(bytes);
      const present = await this.#blobs.has(digest);
      await this.#store.claimBlob(owner.workspaceId, { versionId: owner.versionId, digest, present });
      failpoint("import.claimed");
      const blob = present ? { digest, bytes: bytes.byteLength } : await this.#blobs.put(bytes);
      failpoint("import.stored");
      return blob;
    });
  }

  /** Takes back an owner's claims, except those to keep, and deletes what nobody else needs. */
  release(owner: BlobOwner, keep: ReadonlySet<string> = new Set<DigestText>()): Promise<void> {
    return this.#alone(async () => {
      const { workspaceId, versionId } = owner;
      // Bytes first: cut off in between, the claims are still there to be swept at the next start.
      for (const digest of await this.#store.unneededBlobs(workspaceId, versionId, keep)) {
        await this.#blobs.delete(digest);
      }
      failpoint("import.forgotten");
      await this.#store.dropClaims(workspaceId, versionId, keep);
    });
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}
