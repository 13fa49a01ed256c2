import type { Readable } from "node:stream";
import type { DigestText } from "../foundation/index.ts";

/** A stored blob. */
export interface Blob {
  readonly digest: DigestText;
  readonly bytes: number;
}

/**
 * Content-addressed bytes: what is stored never changes, and its name proves it.
 * Not responsible for knowing who refers to a blob.
 */
export interface BlobStore {
  /**
   * Stores bytes; when it returns they are durable. Storing the same bytes twice is one blob.
   * @throws PlatformError `disk-full` when there is no room; nothing half-written stays.
   */
  put(content: Uint8Array | Readable | AsyncIterable<Uint8Array>): Promise<Blob>;
  /** Whether the blob is there. */
  has(digest: DigestText): Promise<boolean>;
  /**
   * Reads a whole blob and proves its digest.
   * @throws PlatformError `artefact-corrupt` when the bytes do not match, `not-found` when absent.
   */
  get(digest: DigestText): Promise<Uint8Array>;
  /**
   * Reads a byte range (start inclusive, end exclusive) without proving the digest.
   * @throws PlatformError `not-found` when absent.
   */
  read(digest: DigestText, range: { readonly start: number; readonly end: number }): Promise<Uint8Array>;
  /** Streams a blob; the stream fails with `artefact-corrupt` at its end when the bytes do not match. */
  stream(digest: DigestText): Promise<Readable>;
  /** Size, or `null` when absent. */
  size(digest: DigestText): Promise<number | null>;
  /** Forgets a blob; no error when absent. */
  delete(digest: DigestText): Promise<void>;
}
