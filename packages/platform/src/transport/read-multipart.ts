import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import busboy from "busboy";
import { PlatformError, type UploadedFile } from "../foundation/index.ts";

/** A multipart request: its options, then its files one after the other. */
export interface MultipartRequest {
  /** JSON of the first field, parsed but not checked. */
  readonly options: unknown;
  readonly files: AsyncIterable<UploadedFile>;
}

/** Bounds of an upload. */
export interface MultipartLimits {
  readonly fileBytesMax: number;
  readonly filesMax: number;
}

const optionBytesMax = 8 * 1024 * 1024;
const waitingFilesMax = 1;

const noOptions = (): PlatformError =>
  new PlatformError(
    "invalid-input",
    "A multipart request begins with a field `options` that holds JSON; then the files follow. Send that field first.",
  );

const parseOptions = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new PlatformError("malformed-json", "The field `options` is not valid JSON. Mend it and send it again.", {
      cause,
    });
  }
};

const openParser = (request: IncomingMessage, limits: MultipartLimits): busboy.Busboy => {
  try {
    return busboy({
      headers: request.headers,
      preservePath: true,
      limits: { fieldSize: optionBytesMax, fields: 1, fileSize: limits.fileBytesMax, files: limits.filesMax },
    });
  } catch (cause) {
    throw new PlatformError("unsupported-media-type", "Send the files as multipart/form-data.", { cause });
  }
};

/** The files of a request as they arrive; at most one waits while another is read. */
class ArrivingFiles implements AsyncIterable<UploadedFile> {
  readonly #request: IncomingMessage;
  readonly #waiting: UploadedFile[] = [];
  #failure: unknown;
  #finished = false;
  #wake: () => void = () => {};

  constructor(request: IncomingMessage) {
    this.#request = request;
  }

  add(file: UploadedFile): void {
    this.#waiting.push(file);
    if (this.#waiting.length > waitingFilesMax) this.#request.pause();
    this.#wake();
  }

  fail(error: unknown): void {
    this.#failure ??= error;
    this.#wake();
  }

  finish(): void {
    this.#finished = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<UploadedFile> {
    for (;;) {
      const file = this.#waiting.shift();
      if (file !== undefined) {
        this.#request.resume();
        yield file;
        if (!file.stream.readableEnded) file.stream.resume();
        continue;
      }
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#finished) return;
      await new Promise<void>((done) => {
        this.#wake = done;
      });
    }
  }
}

/**
 * Reads `multipart/form-data` as it arrives, so that memory stays bounded.
 * @throws PlatformError `unsupported-media-type`, `invalid-input`, `malformed-json`; from the files `payload-too-large`.
 */
export const readMultipart = async (request: IncomingMessage, limits: MultipartLimits): Promise<MultipartRequest> => {
  const parser = openParser(request, limits);
  const files = new ArrivingFiles(request);
  const { promise: options, resolve, reject } = Promise.withResolvers<unknown>();
  const fail = (error: unknown): void => {
    reject(error);
    files.fail(error);
    request.unpipe(parser);
    request.resume();
  };
  const tooLarge = (detail: string): PlatformError => new PlatformError("payload-too-large", detail);
  parser.on("field", (name, text) => {
    if (name !== "options") return fail(noOptions());
    try {
      resolve(parseOptions(text));
    } catch (error) {
      fail(error);
    }
  });
  parser.on("file", (_, stream: Readable, info: { readonly filename?: string | undefined }) => {
    reject(noOptions());
    stream.on("limit", () =>
      stream.destroy(tooLarge(`The file exceeds ${limits.fileBytesMax} bytes. Split it into several.`)),
    );
    files.add({ name: info.filename ?? "", stream });
  });
  parser.on("filesLimit", () => fail(tooLarge(`More than ${limits.filesMax} files came. Import them in parts.`)));
  parser.on("error", (cause) => {
    fail(new PlatformError("invalid-input", "The multipart body is damaged or was cut off. Send it again.", { cause }));
  });
  parser.on("close", () => {
    reject(noOptions());
    files.finish();
  });
  request.once("aborted", () =>
    fail(new PlatformError("invalid-input", "The client went away before the upload ended.")),
  );
  request.pipe(parser);
  return { options: await options, files };
};
