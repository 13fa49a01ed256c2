import { createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { digestOf, type DigestText, failpoint, isDigest, notFound, PlatformError } from "../foundation/index.ts";
import { syncFolder, writeFailure } from "./atomic-file.ts";
import type { Blob, BlobStore } from "./blob-store.ts";

const missing = (error: unknown): boolean => error instanceof Error && "code" in error && error.code === "ENOENT";

const corrupt = (): PlatformError =>
  new PlatformError(
    "artefact-corrupt",
    "A stored file does not hold the bytes that its digest names. Restore it from a backup, or import the data again.",
  );

/** Bytes of a blob as they stream by, proved at the end. */
async function* proved(chunks: AsyncIterable<Uint8Array>, digest: DigestText): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  for await (const chunk of chunks) {
    hash.update(chunk);
    yield chunk;
  }
  if (`sha256:${hash.digest("hex")}` !== digest) throw corrupt();
}

/**
 * Keeps blobs as files `ab/cdef…` of a folder: written to a temporary file, fsynced, renamed, folder fsynced.
 * What a writer that died left half-written goes when the next writer of its name opens the store.
 */
export class FileBlobStore implements BlobStore {
  readonly #folder: string;
  readonly #writer: string;

  private constructor(folder: string, writer: string) {
    this.#folder = folder;
    this.#writer = writer;
  }

  /**
   * Opens the store in a folder, making it as needed.
   * @param writer Name of the process, which no other has at the same time: its predecessor's half-written files go.
   */
  static async open(folder: string, writer: string): Promise<FileBlobStore> {
    await FileBlobStore.sweep(folder, `${writer}.`);
    return new FileBlobStore(folder, writer);
  }

  /** Removes half-written files, of all writers unless a prefix of their names is given; for a time without writers. */
  static async sweep(folder: string, prefix = ""): Promise<void> {
    const temporary = join(folder, "tmp");
    await mkdir(temporary, { recursive: true, mode: 0o700 });
    const names = (await readdir(temporary)).filter((name) => name.startsWith(prefix));
    for (const name of names) await rm(join(temporary, name), { force: true });
  }

  async put(content: Uint8Array | Readable | AsyncIterable<Uint8Array>): Promise<Blob> {
    const temporary = join(this.#folder, "tmp", `${this.#writer}.${randomBytes(12).toString("hex")}`);
    try {
      const blob = await this.#write(temporary, content instanceof Uint8Array ? Readable.from([content]) : content);
      const file = this.#file(blob.digest);
      const folder = dirname(file);
      if ((await mkdir(folder, { recursive: true, mode: 0o700 })) !== undefined) await syncFolder(this.#folder);
      await rename(temporary, file);
      failpoint("blob.renamed");
      await syncFolder(folder);
      return blob;
    } catch (error) {
      await rm(temporary, { force: true });
      throw writeFailure(error);
    }
  }

  async has(digest: DigestText): Promise<boolean> {
    return (await this.size(digest)) !== null;
  }

  async get(digest: DigestText): Promise<Uint8Array> {
    const bytes = await readFile(this.#file(digest)).catch((error: unknown) => {
      throw missing(error) ? notFound("stored file") : error;
    });
    if (digestOf(bytes) === digest) return bytes;
    await this.#quarantine(digest);
    throw corrupt();
  }

  async read(digest: DigestText, range: { readonly start: number; readonly end: number }): Promise<Uint8Array> {
    const handle = await open(this.#file(digest), "r").catch((error: unknown) => {
      throw missing(error) ? notFound("stored file") : error;
    });
    try {
      const { size } = await handle.stat();
      const length = Math.max(0, Math.min(range.end, size) - range.start);
      const buffer = new Uint8Array(length);
      const { bytesRead } = await handle.read(buffer, 0, length, range.start);
      return buffer.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  }

  /**
   * The file of a blob, for native code that maps it into memory; its bytes are proved first.
   * @throws PlatformError `artefact-corrupt`, `not-found`.
   */
  async provedFile(digest: DigestText): Promise<string> {
    for await (const _ of await this.stream(digest)) {
      // The stream fails at its end when the bytes do not match.
    }
    return this.#file(digest);
  }

  async stream(digest: DigestText): Promise<Readable> {
    if (!(await this.has(digest))) throw notFound("stored file");
    return Readable.from(proved(createReadStream(this.#file(digest)), digest), { objectMode: false });
  }

  async size(digest: DigestText): Promise<number | null> {
    try {
      return (await stat(this.#file(digest))).size;
    } catch (error) {
      if (missing(error)) return null;
      throw error;
    }
  }

  async delete(digest: DigestText): Promise<void> {
    await rm(this.#file(digest), { force: true });
  }

  async #write(temporary: string, content: AsyncIterable<Uint8Array>): Promise<Blob> {
    const hash = createHash("sha256");
    let bytes = 0;
    const handle = await open(temporary, "wx", 0o600);
    try {
      failpoint("blob.opened");
      for await (const chunk of content) {
        hash.update(chunk);
        bytes += chunk.byteLength;
        await handle.writeFile(chunk);
      }
      failpoint("blob.written");
      await handle.sync();
    } finally {
      await handle.close();
    }
    return { digest: `sha256:${hash.digest("hex")}`, bytes };
  }

  /** Puts a file that does not hold its bytes aside: nobody reads it again, and the same bytes can be stored anew. */
  async #quarantine(digest: DigestText): Promise<void> {
    const folder = join(this.#folder, "quarantine");
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await rename(this.#file(digest), join(folder, digest.slice("sha256:".length))).catch(() => undefined);
  }

  // The one guard between a text and a path: only a digest names a file.
  #file(digest: DigestText): string {
    if (!isDigest(digest)) throw notFound("stored file");
    const hex = digest.slice("sha256:".length);
    return join(this.#folder, hex.slice(0, 2), hex.slice(2));
  }
}
