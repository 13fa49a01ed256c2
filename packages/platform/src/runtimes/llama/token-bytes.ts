const encoder = new TextEncoder();
const byteToken = /^<0x([0-9A-F]{2})>$/;

/**
 * The letters that byte-level vocabularies (GPT-2's) write for bytes: printable Latin-1 stands for itself, the other
 * bytes for the letters from U+0100 on.
 */
const byteOfLetter: ReadonlyMap<string, number> = (() => {
  const letters = new Map<string, number>();
  let next = 0x100;
  for (let byte = 0; byte < 256; byte++) {
    const printable = (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
    letters.set(String.fromCodePoint(printable ? byte : next++), byte);
  }
  return letters;
})();

/**
 * The bytes that a token adds to a text, from its entry in the vocabulary.
 * @param kind `tokenizer.ggml.model`: `gpt2` is byte-level, all others mark spaces with U+2581.
 */
export const tokenBytesOf = (entry: string, kind: string): Uint8Array => {
  const [, hexadecimal] = byteToken.exec(entry) ?? [];
  if (hexadecimal !== undefined) return Uint8Array.of(Number.parseInt(hexadecimal, 16));
  if (kind !== "gpt2") return encoder.encode(entry.replaceAll("▁", " "));
  const bytes = [...entry].map((letter) => byteOfLetter.get(letter));
  // Special tokens are written as they are.
  return bytes.every((byte) => byte !== undefined) ? Uint8Array.from(bytes) : encoder.encode(entry);
};
