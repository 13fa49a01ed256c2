import { isUtf8 } from "node:buffer";
import { pipeline, Readable } from "node:stream";
import { CsvError, parse } from "csv-parse";
import { PlatformError } from "../foundation/index.ts";
import type { ImportSession } from "./import-session.ts";
import { ByteSource } from "./upload-source.ts";

/** A CSV file as records; the first is the header. */
export interface CsvSource {
  /** File name, for messages. */
  readonly file: string;
  readonly content: AsyncIterable<Uint8Array>;
  /** Without it the delimiter is told from the first lines. */
  readonly delimiter: string | undefined;
}

/** The error of a CSV file that cannot be read. */
export const csvInvalid = (file: string, message: string, cause?: unknown): PlatformError =>
  new PlatformError("csv-invalid", `${file}: ${message}`, { cause });

const sniffBytes = 65_536;

/** Lines of the beginning with what stands in quotes left out; the last line may be cut off and is dropped. */
const bareLines = (head: string): string[] => {
  const lines = head.replaceAll(/"(?:[^"]|"")*(?:"|$)/g, "").split(/\r\n|\n|\r/);
  return (lines.length > 1 ? lines.slice(0, -1) : lines).filter((line) => line !== "").slice(0, 20);
};

/** The delimiter that stands equally often in every line, the more often the better; a comma in doubt. */
export const sniffDelimiter = (head: string): string => {
  const lines = bareLines(head);
  let best = { delimiter: ",", score: 0 };
  for (const delimiter of [",", ";", "\t", "|"]) {
    const counts = lines.map((line) => line.split(delimiter).length - 1);
    const inHeader = counts[0] ?? 0;
    const agreeing = counts.filter((count) => count === inHeader).length;
    const score = inHeader === 0 ? 0 : agreeing * 1000 + inHeader;
    if (score > best.score) best = { delimiter, score };
  }
  return best.delimiter;
};

/** Start of a UTF-8 sequence that the chunk's end cuts off, or the chunk's length. */
const wholeLength = (chunk: Uint8Array): number => {
  for (let back = 1; back <= Math.min(3, chunk.byteLength); back++) {
    const byte = chunk[chunk.byteLength - back] as number;
    if (byte < 0x80) break;
    if (byte >= 0xc0)
      return back < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? chunk.byteLength - back : chunk.byteLength;
  }
  return chunk.byteLength;
};

const checkedUtf8 = async function* (source: ByteSource, file: string): AsyncGenerator<Uint8Array> {
  const refuse = (): PlatformError =>
    csvInvalid(file, "The text is not UTF-8. Save the file as UTF-8 and import it again.");
  let carried: Uint8Array = new Uint8Array(0);
  for await (const block of source.blocks(1)) {
    const chunk = carried.byteLength === 0 ? block : Buffer.concat([carried, block]);
    const cut = wholeLength(chunk);
    if (!isUtf8(chunk.subarray(0, cut)) || chunk.subarray(0, cut).includes(0)) throw refuse();
    carried = chunk.subarray(cut);
    yield chunk.subarray(0, cut);
  }
  if (carried.byteLength > 0) throw refuse();
};

const asCsvProblem = (error: unknown, file: string, expected: number): unknown => {
  if (!(error instanceof CsvError)) return error;
  const line = Number(error["lines"] ?? 0);
  if (error.code === "CSV_RECORD_INCONSISTENT_FIELDS_LENGTH") {
    const record: unknown = error["record"];
    const got = Array.isArray(record) ? record.length : "another number";
    // The parser runs ahead of its reader: a ragged row can come to light before the header does.
    const header = expected > 0 ? expected : (/expect (\d+)/.exec(error.message)?.[1] ?? "as many");
    return new PlatformError(
      "csv-ragged",
      `${file}, line ${line}: expected ${header} fields as in the header, got ${got}. ` +
        "Quote fields that hold the delimiter, or mend the line.",
      { cause: error },
    );
  }
  return csvInvalid(file, `Line ${line} cannot be read: a quote is not closed or stands in the wrong place.`, error);
};

/**
 * Reads the records of a CSV file (RFC 4180), the header first.
 * @throws PlatformError `csv-ragged` with line, expected and found fields; `csv-invalid` for broken quotes or text that
 * is not UTF-8; `gzip-invalid` from the content.
 */
export const csvRecords = async function* (source: CsvSource, session: ImportSession): AsyncGenerator<string[]> {
  const { file } = source;
  await using bytes = new ByteSource(source.content);
  const head = new TextDecoder().decode(await bytes.peek(sniffBytes));
  const parser = parse({
    delimiter: source.delimiter ?? sniffDelimiter(head),
    bom: true,
    skip_empty_lines: true,
    max_record_size: 16 * 1024 * 1024,
  });
  pipeline(Readable.from(checkedUtf8(bytes, file), { objectMode: false }), parser, () => {
    // The failure reaches whoever reads the records.
  });
  let expected = 0;
  try {
    for await (const record of parser as AsyncIterable<string[]>) {
      if (expected === 0) expected = record.length;
      yield record;
      await session.breathe();
    }
  } catch (error) {
    throw asCsvProblem(error, file, expected);
  }
};
