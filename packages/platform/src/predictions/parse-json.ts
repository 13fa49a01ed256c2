import { PlatformError } from "../foundation/index.ts";

/** What a reviver is told of a number's text, where the engine tells it. */
interface ParseContext {
  readonly source?: string;
}

/** Whole numbers beyond 2^53 as BigInt, so that no digit is lost. */
const keepDigits = (_: string, value: unknown, context?: ParseContext): unknown =>
  typeof value === "number" && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source ?? "")
    ? BigInt(context?.source ?? 0)
    : value;

/** `NaN` and `Infinity` outside of texts, as Python writes them; JSON itself has neither. */
const withoutTokens = (text: string): string =>
  text.replaceAll(/"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b/g, (token) => {
    if (token === "NaN") return "null";
    if (token === "Infinity") return "1e999";
    return token === "-Infinity" ? "-1e999" : token;
  });

/** How JSON is read. */
export interface ParseOptions {
  /** Give whole numbers that a double cannot hold as BigInt. */
  readonly lossless: boolean;
}

/**
 * Reads JSON of a prediction; `NaN` becomes null, infinities stay.
 * @throws PlatformError `malformed-json`.
 */
export const parsePredictionJson = (bytes: Uint8Array, { lossless }: ParseOptions): unknown => {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  // Reading number by number is slow: only where a number is long enough to lose digits.
  const reviver = lossless && /\d{16}/.test(text) ? keepDigits : undefined;
  try {
    return JSON.parse(text, reviver);
  } catch (cause) {
    if (/NaN|Infinity/.test(text)) {
      try {
        return JSON.parse(withoutTokens(text), reviver);
      } catch {
        // The first failure names the place in what the client sent.
      }
    }
    throw new PlatformError("malformed-json", "The body is not valid JSON. Mend it and send it again.", { cause });
  }
};
