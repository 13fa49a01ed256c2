import { StringDecoder } from "node:string_decoder";

/**
 * Cuts a byte stream into lines, never keeping more than one bounded line.
 * @param longest Characters of a line that are kept; the rest of it is dropped.
 */
export const splitLines = (onLine: (line: string) => void, longest: number): ((chunk: Buffer) => void) => {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  return (chunk) => {
    const parts = decoder.write(chunk).split("\n");
    parts[0] = (rest + (parts[0] ?? "")).slice(0, longest);
    rest = (parts.pop() ?? "").slice(0, longest);
    for (const line of parts) if (line !== "") onLine(line.slice(0, longest));
  };
};
