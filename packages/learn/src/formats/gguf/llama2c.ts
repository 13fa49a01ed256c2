import { LearnError } from "../../errors.ts";
import type { WritableEncoding } from "./encode-tensor.ts";
import { byteTokens, llamaFile, type LlamaShape, llamaTensors, type Token } from "./llama-file.ts";
import type { GgufToWrite } from "./write-gguf.ts";

/** A model of llama2.c and how it is to be written. */
export interface Llama2cModel {
  /** The checkpoint: seven 32-bit integers, then the weights. */
  readonly weights: Uint8Array;
  /** The vocabulary as SentencePiece prints it: a token, a tab and a score a line. */
  readonly vocabulary: string;
  readonly name: string;
  readonly encoding?: WritableEncoding;
  readonly chatTemplate?: string;
  /** Overrides the checkpoint's context: rotary positions work beyond it, the text gets worse. */
  readonly contextLength?: number;
}

const headerBytes = 28;
const sizeMax = 1 << 24;

const fail = (message: string): never => {
  throw new LearnError("gguf-invalid", `${message} Take a checkpoint of llama2.c's first format and its vocabulary.`);
};

interface Checkpoint {
  readonly shape: LlamaShape;
  readonly vocabularySize: number;
  /** Whether input and output share one matrix. */
  readonly tied: boolean;
  readonly contextLength: number;
}

const readHeader = (bytes: Uint8Array, name: string): Checkpoint => {
  if (bytes.byteLength < headerBytes) return fail("The checkpoint is shorter than its header.");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [width = 0, inner = 0, blocks = 0, heads = 0, keyValueHeads = 0, vocabulary = 0, contextLength = 0] =
    Array.from({ length: 7 }, (_, i) => view.getInt32(i * 4, true));
  const sizes = [width, inner, blocks, heads, keyValueHeads, Math.abs(vocabulary), contextLength];
  if (sizes.some((size) => size < 1 || size > sizeMax)) return fail("The checkpoint's header holds impossible sizes.");
  if (width % heads !== 0 || heads % keyValueHeads !== 0)
    return fail("The checkpoint's heads do not divide its width.");
  const shape = { name, contextLength, embeddingLength: width, feedForwardLength: inner, blocks, heads, keyValueHeads };
  return { shape, vocabularySize: Math.abs(vocabulary), tied: vocabulary > 0, contextLength };
};

const tokenKind = (text: string): Token["kind"] => {
  if (text === "<unk>") return "unknown";
  return text === "<s>" || text === "</s>" ? "control" : "normal";
};

const readTokens = (text: string, count: number): Token[] => {
  const tokens = text
    .split("\n")
    .filter((line) => line !== "")
    .map((line): Token => {
      const tab = line.lastIndexOf("\t");
      const score = Number(line.slice(tab + 1));
      if (tab < 1 || !Number.isFinite(score)) return fail("A line of the vocabulary is no token, tab and score.");
      return { text: line.slice(0, tab), score, kind: tokenKind(line.slice(0, tab)) };
    });
  if (tokens.length !== count) {
    return fail(`The vocabulary holds ${tokens.length} tokens, the checkpoint's embedding ${count}.`);
  }
  return tokens;
};

/** The order of the tensors in a checkpoint: one kind after the other, each for all blocks. */
const kinds = [
  "attn_norm",
  "attn_q",
  "attn_k",
  "attn_v",
  "attn_output",
  "ffn_norm",
  "ffn_gate",
  "ffn_down",
  "ffn_up",
] as const;

const product = (sizes: readonly number[]): number => sizes.reduce((all, size) => all * size, 1);

/** Where each tensor's floats lie in the checkpoint. */
const placesOf = ({ shape, vocabularySize, tied, contextLength }: Checkpoint): Map<string, [number, number]> => {
  const sizes = new Map(llamaTensors(shape, vocabularySize).map(([name, size]) => [name, product(size)]));
  const rotary = (contextLength * shape.embeddingLength) / shape.heads;
  const order = [
    "token_embd.weight",
    ...kinds.flatMap((kind) => Array.from({ length: shape.blocks }, (_, block) => `blk.${block}.${kind}.weight`)),
    "output_norm.weight",
    "rotary tables",
    ...(tied ? [] : ["output.weight"]),
  ];
  const places = new Map<string, [number, number]>();
  let at = 0;
  for (const name of order) {
    const length = sizes.get(name) ?? rotary;
    places.set(name, [at, length]);
    at += length;
  }
  return places;
};

/**
 * Converts a checkpoint of llama2.c (its first format, F32) to GGUF. The rotary pairs are interleaved in both, so no
 * weight moves. 256 byte tokens are appended with the embedding of `<unk>`, so that any text can be tokenised.
 * @throws LearnError `gguf-invalid` when the files are no such checkpoint or do not fit each other.
 */
export const fromLlama2c = (model: Llama2cModel): GgufToWrite => {
  const checkpoint = readHeader(model.weights, model.name);
  const { shape, vocabularySize } = checkpoint;
  const tokens = readTokens(model.vocabulary, vocabularySize);
  const places = placesOf(checkpoint);
  const end = [...places.values()].reduce((last, [at, length]) => Math.max(last, at + length), 0);
  if (headerBytes + end * 4 !== model.weights.byteLength) {
    return fail(`The checkpoint has ${model.weights.byteLength} bytes; its header asks for ${headerBytes + end * 4}.`);
  }
  const view = new DataView(model.weights.buffer, model.weights.byteOffset + headerBytes);
  const unknown = tokens.findIndex(({ kind }) => kind === "unknown");
  const begin = tokens.findIndex(({ text }) => text === "<s>");
  const finish = tokens.findIndex(({ text }) => text === "</s>");
  if (Math.min(unknown, begin, finish) < 0) return fail("The vocabulary lacks <unk>, <s> or </s>.");
  const values = (name: string): Float32Array => {
    const perToken = name === "token_embd.weight" || name === "output.weight";
    const [at, length] = places.get(name) ?? places.get("token_embd.weight") ?? [0, 0];
    const width = shape.embeddingLength;
    const floats = new Float32Array(length + (perToken ? byteTokens.length * width : 0));
    for (let i = 0; i < length; i++) floats[i] = view.getFloat32((at + i) * 4, true);
    if (!perToken) return floats;
    const row = floats.slice(unknown * width, (unknown + 1) * width);
    for (let byte = 0; byte < byteTokens.length; byte++) floats.set(row, length + byte * width);
    return floats;
  };
  return llamaFile({
    shape: { ...shape, contextLength: model.contextLength ?? shape.contextLength },
    vocabulary: {
      tokens: [...tokens, ...byteTokens],
      unknown,
      begin,
      end: finish,
      chatTemplate: model.chatTemplate,
    },
    encoding: model.encoding ?? "F32",
    values,
  });
};
