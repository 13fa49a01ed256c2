import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { PlatformError, type UploadedFile } from "../foundation/index.ts";
import type { ImportSession } from "./import-session.ts";

/** Counts what arrives. */
const counted = async function* (file: UploadedFile, session: ImportSession): AsyncGenerator<Uint8Array> {
  for await (const chunk of file.stream as AsyncIterable<Uint8Array>) {
    session.bytes += chunk.byteLength;
    await session.breathe();
    yield chunk;
  }
};

const isZlibError = (error: unknown): boolean =>
  error instanceof Error && "code" in error && typeof error.code === "string" && error.code.startsWith("Z_");

const gunzipped = async function* (content: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip({ chunkSize: 128 * 1024 });
  pipeline(Readable.from(content, { objectMode: false }), gunzip, () => {
    // The failure reaches whoever reads the stream.
  });
  try {
    for await (const chunk of gunzip as AsyncIterable<Uint8Array>) yield chunk;
  } catch (error) {
    if (!isZlibError(error)) throw error;
    throw new PlatformError(
      "gzip-invalid",
      `The gzip stream of ${name} is damaged or ends too early. Compress the file again or fetch it anew, then import it.`,
      { cause: error },
    );
  }
};

const prepended = async function* (head: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    if (head.byteLength > 0) yield head;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
};

/**
 * The bytes of an uploaded file as they were before compression: gzip is told by its first two bytes, not by the name.
 * @throws PlatformError `gzip-invalid` while reading, when the stream is damaged or truncated.
 */
export const contentOf = async function* (file: UploadedFile, session: ImportSession): AsyncGenerator<Uint8Array> {
  const chunks = counted(file, session);
  let head: Uint8Array = new Uint8Array(0);
  while (head.byteLength < 2) {
    const next = await chunks.next();
    if (next.done === true) break;
    head = head.byteLength === 0 ? next.value : Buffer.concat([head, next.value]);
  }
  const whole = prepended(head, chunks);
  yield* head[0] === 0x1f && head[1] === 0x8b ? gunzipped(whole, file.name) : whole;
};

/** Reads a stream of bytes in pieces of the reader's choice. */
export class ByteSource {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #held: Uint8Array = new Uint8Array(0);

  constructor(content: AsyncIterable<Uint8Array>) {
    this.#chunks = content[Symbol.asyncIterator]();
  }

  /** The next `length` bytes without taking them; fewer when the stream ends before. */
  async peek(length: number): Promise<Uint8Array> {
    while (this.#held.byteLength < length && (await this.#pull())) {
      // Pulls until enough is held.
    }
    return this.#held.subarray(0, length);
  }

  /** Takes the next `length` bytes; fewer when the stream ends before. */
  async take(length: number): Promise<Uint8Array> {
    const bytes = await this.peek(length);
    this.#held = this.#held.subarray(bytes.byteLength);
    return bytes;
  }

  /**
   * Gives the rest as blocks of whole rows. Bytes that make no whole row at the end come as the last, shorter block.
   * @param rowBytes Size of a row.
   */
  async *blocks(rowBytes: number): AsyncGenerator<Uint8Array> {
    do {
      const whole = this.#held.byteLength - (this.#held.byteLength % rowBytes);
      if (whole > 0) yield await this.take(whole);
    } while (await this.#pull());
    if (this.#held.byteLength > 0) yield this.#held;
  }

  /** Ends the reading early and lets go of the stream. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#chunks.return?.();
  }

  async #pull(): Promise<boolean> {
    const next = await this.#chunks.next();
    if (next.done === true) return false;
    this.#held = this.#held.byteLength === 0 ? next.value : Buffer.concat([this.#held, next.value]);
    return true;
  }
}
