import type { IncomingMessage } from "node:http";
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

/**
 * Reads `multipart/form-data` as it arrives; at most one file waits, so that memory stays bounded.
 * @throws PlatformError `unsupported-media-type`, `invalid-input`, `malformed-json`; from the files `payload-too-large`.
 */
export const readMultipart = (request: IncomingMessage, limits: MultipartLimits): Promise<MultipartRequest> => {
  let parser: busboy.Busboy;
  try {
    parser = busboy({
      headers: request.headers,
      preservePath: true,
      limits: { fieldSize: optionBytesMax, fields: 1, fileSize: limits.fileBytesMax, files: limits.filesMax },
    });
  } catch (cause) {
    throw new PlatformError("unsupported-media-type", "Send the files as multipart/form-data.", { cause });
  }
  const waiting: UploadedFile[] = [];
  let failure: unknown;
  let finished = false;
  let wake: () => void = () => {};
  const { promise: first, resolve, reject } = Promise.withResolvers<unknown>();
  const fail = (error: unknown): void => {
    failure ??= error;
    reject(error);
    wake();
    request.unpipe(parser);
    request.resume();
  };
  parser.on("field", (name, text) => {
    if (name !== "options") return fail(noOptions());
    try {
      resolve(parseOptions(text));
    } catch (error) {
      fail(error);
    }
  });
  parser.on("file", (_, stream, info) => {
    reject(noOptions());
    stream.on("limit", () =>
      stream.destroy(
        new PlatformError("payload-too-large", `The file exceeds ${limits.fileBytesMax} bytes. Split it into several.`),
      ),
    );
    waiting.push({ name: (info.filename as string | undefined) ?? "", stream });
    if (waiting.length > waitingFilesMax) request.pause();
    wake();
  });
  parser.on("filesLimit", () =>
    fail(new PlatformError("payload-too-large", `More than ${limits.filesMax} files came.`)),
  );
  parser.on("error", (cause) =>
    fail(new PlatformError("invalid-input", "The multipart body is damaged or was cut off. Send it again.", { cause })),
  );
  parser.on("close", () => {
    finished = true;
    reject(noOptions());
    wake();
  });
  request.once("aborted", () =>
    fail(new PlatformError("invalid-input", "The client went away before the upload ended.")),
  );
  request.pipe(parser);
  async function* files(): AsyncGenerator<UploadedFile> {
    for (;;) {
      const file = waiting.shift();
      if (file !== undefined) {
        request.resume();
        yield file;
        if (!file.stream.readableEnded) file.stream.resume();
      } else if (failure !== undefined) {
        throw failure;
      } else if (finished) {
        return;
      } else {
        await new Promise<void>((done) => {
          wake = done;
        });
      }
    }
  }
  return first.then((options) => ({ options, files: files() }));
};
