import { createRandom } from "../../random.ts";
import type { WritableEncoding } from "./encode-tensor.ts";
import { byteTokens, llamaFile, type LlamaShape, llamaTensors, type Token } from "./llama-file.ts";
import type { GgufToWrite } from "./write-gguf.ts";

/** A network with random weights: useless to talk to, exactly as fast as a trained one of its size. */
export interface RandomLlama {
  readonly shape: LlamaShape;
  /** Tokens in all, at least 512. */
  readonly vocabularySize: number;
  readonly encoding: WritableEncoding;
  readonly seed: number;
}

const fixed = byteTokens.length + 3;
const deviation = 0.02;

/** Special tokens, bytes, letters, then made-up words. */
const tokensOf = (count: number): Token[] => {
  const letters = [..."▁abcdefghijklmnopqrstuvwxyz.,!?"].map((text, i): Token => ({ text, score: -i, kind: "normal" }));
  const words = Array.from({ length: count - fixed - letters.length }, (_, i): Token => {
    const word = i.toString(26).replaceAll(/[0-9]/g, (digit) => String.fromCharCode(113 + Number(digit)));
    return { text: `▁w${word}`, score: -1000 - i, kind: "normal" };
  });
  return [
    { text: "<unk>", score: 0, kind: "unknown" },
    { text: "<s>", score: 0, kind: "control" },
    { text: "</s>", score: 0, kind: "control" },
    ...byteTokens,
    ...letters,
    ...words,
  ];
};

/** Makes a Llama network with normal weights of deviation 0.02 and norms of one. */
export const randomLlama = ({ shape, vocabularySize, encoding, seed }: RandomLlama): GgufToWrite => {
  const sizes = new Map(llamaTensors(shape, vocabularySize));
  const random = createRandom(seed);
  const values = (name: string): Float32Array => {
    const size = sizes.get(name) ?? [];
    const floats = new Float32Array(size.reduce((product, each) => product * each, 1));
    if (size.length === 1) return floats.fill(1);
    const own = random.split(name);
    for (let i = 0; i < floats.length; i++) floats[i] = own.normal() * deviation;
    return floats;
  };
  const vocabulary = { tokens: tokensOf(vocabularySize), unknown: 0, begin: 1, end: 2 };
  return llamaFile({ shape, vocabulary, encoding, values });
};
