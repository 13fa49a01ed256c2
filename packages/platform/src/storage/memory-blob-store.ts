import { Readable } from "node:stream";
import { digestOf, type DigestText, isDigest, notFound } from "../foundation/index.ts";
import type { Blob, BlobStore } from "./blob-store.ts";

/** Keeps blobs in memory: the second driver of the port, for tests and short-lived processes. */
export class MemoryBlobStore implements BlobStore {
  readonly #blobs = new Map<DigestText, Uint8Array>();

  /** Digests of everything stored. */
  digests(): DigestText[] {
    return [...this.#blobs.keys()];
  }

  async put(content: Uint8Array | Readable | AsyncIterable<Uint8Array>): Promise<Blob> {
    const bytes = content instanceof Uint8Array ? Uint8Array.from(content) : await collect(content);
    const digest = digestOf(bytes);
    this.#blobs.set(digest, bytes);
    return { digest, bytes: bytes.byteLength };
  }

  async has(digest: DigestText): Promise<boolean> {
    return this.#blobs.has(digest);
  }

  async get(digest: DigestText): Promise<Uint8Array> {
    return Uint8Array.from(this.#find(digest));
  }

  async read(digest: DigestText, range: { readonly start: number; readonly end: number }): Promise<Uint8Array> {
    return this.#find(digest).slice(range.start, range.end);
  }

  async stream(digest: DigestText): Promise<Readable> {
    return Readable.from([this.#find(digest)]);
  }

  async size(digest: DigestText): Promise<number | null> {
    return this.#blobs.get(digest)?.byteLength ?? null;
  }

  async delete(digest: DigestText): Promise<void> {
    this.#blobs.delete(digest);
  }

  #find(digest: DigestText): Uint8Array {
    const bytes = isDigest(digest) ? this.#blobs.get(digest) : undefined;
    if (bytes === undefined) throw notFound("stored file");
    return bytes;
  }
}

const collect = async (content: AsyncIterable<Uint8Array>): Promise<Uint8Array> => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks);
};
