/** Turns tokens into text as they come. */
export interface TextStream {
  /** The text that a token completes; a character of several tokens comes with its last one. */
  push(token: number): string;
  /** What is still held back at the end. */
  end(): string;
}

const heldMax = 8;
const contextTokens = 4;
const replacement = "�";

/**
 * Detokenises piece by piece without cutting characters.
 * @param detokenize Text of tokens that follow the given earlier ones.
 */
export const openTextStream = (
  detokenize: (tokens: readonly number[], before: readonly number[]) => string,
  before: readonly number[],
): TextStream => {
  let known = before.slice(-contextTokens);
  let held: number[] = [];
  const release = (text: string): string => {
    known = [...known, ...held].slice(-contextTokens);
    held = [];
    return text;
  };
  return {
    push: (token) => {
      held.push(token);
      const text = detokenize(held, known);
      // Bytes of an unfinished character show as U+FFFD; what never becomes one must not be held for ever.
      return text.endsWith(replacement) && held.length < heldMax ? "" : release(text);
    },
    end: () => (held.length === 0 ? "" : release(detokenize(held, known))),
  };
};
