import type { GgufValue } from "./gguf.ts";
import type { WritableEncoding } from "./encode-tensor.ts";
import type { GgufToWrite, TensorToWrite } from "./write-gguf.ts";

/** Sizes of a Llama network. */
export interface LlamaShape {
  readonly name: string;
  /** Longest sequence in tokens. */
  readonly contextLength: number;
  readonly embeddingLength: number;
  readonly feedForwardLength: number;
  readonly blocks: number;
  readonly heads: number;
  /** Heads of keys and values; each serves `heads / keyValueHeads` query heads. */
  readonly keyValueHeads: number;
}

/** Kind of a token, with the numbers that the file uses. */
export const tokenKinds = { normal: 1, unknown: 2, control: 3, byte: 6 } as const;

/** One entry of a SentencePiece vocabulary. */
export interface Token {
  readonly text: string;
  /** Higher is merged first. */
  readonly score: number;
  readonly kind: keyof typeof tokenKinds;
}

/** A vocabulary and its special tokens, by index. */
export interface Vocabulary {
  readonly tokens: readonly Token[];
  readonly unknown: number;
  readonly begin: number;
  readonly end: number;
  /** Jinja template that turns messages into a prompt. */
  readonly chatTemplate?: string | undefined;
}

/** A Llama network to write; norms stay F32, all else is stored as `encoding`. */
export interface LlamaModel {
  readonly shape: LlamaShape;
  readonly vocabulary: Vocabulary;
  readonly encoding: WritableEncoding;
  /** Values of a tensor by its GGUF name, row-major with the outermost axis first. */
  readonly values: (name: string) => Float32Array;
}

const epsilon = 1e-5;
const fileTypes: Readonly<Record<WritableEncoding, number>> = { F32: 0, F16: 1, Q8_0: 7 };

/**
 * The 256 byte tokens `<0x00>`…`<0xFF>`: without them a SentencePiece vocabulary cannot take text that it has no token
 * for, and llama.cpp throws.
 */
export const byteTokens: readonly Token[] = Array.from({ length: 256 }, (_, byte) => ({
  text: `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`,
  score: 0,
  kind: "byte",
}));

const u32 = (value: number): GgufValue => ({ type: "u32", value });
const string = (value: string): GgufValue => ({ type: "string", value });

const vocabularyEntries = ({ tokens, unknown, begin, end, chatTemplate }: Vocabulary): [string, GgufValue][] => [
  ["tokenizer.ggml.model", string("llama")],
  ["tokenizer.ggml.tokens", { type: "array", value: { element: "string", values: tokens.map((token) => token.text) } }],
  ["tokenizer.ggml.scores", { type: "array", value: { element: "f32", values: tokens.map((token) => token.score) } }],
  [
    "tokenizer.ggml.token_type",
    { type: "array", value: { element: "i32", values: tokens.map((token) => tokenKinds[token.kind]) } },
  ],
  ["tokenizer.ggml.bos_token_id", u32(begin)],
  ["tokenizer.ggml.eos_token_id", u32(end)],
  ["tokenizer.ggml.unknown_token_id", u32(unknown)],
  ["tokenizer.ggml.add_bos_token", { type: "bool", value: true }],
  ...(chatTemplate === undefined ? [] : [["tokenizer.chat_template", string(chatTemplate)] as [string, GgufValue]]),
];

const shapeEntries = (shape: LlamaShape, encoding: WritableEncoding): [string, GgufValue][] => [
  ["general.architecture", string("llama")],
  ["general.name", string(shape.name)],
  ["general.file_type", u32(fileTypes[encoding])],
  ["llama.context_length", u32(shape.contextLength)],
  ["llama.embedding_length", u32(shape.embeddingLength)],
  ["llama.block_count", u32(shape.blocks)],
  ["llama.feed_forward_length", u32(shape.feedForwardLength)],
  ["llama.rope.dimension_count", u32(shape.embeddingLength / shape.heads)],
  ["llama.attention.head_count", u32(shape.heads)],
  ["llama.attention.head_count_kv", u32(shape.keyValueHeads)],
  ["llama.attention.layer_norm_rms_epsilon", { type: "f32", value: epsilon }],
];

/** Names and shapes of a Llama network's tensors; shapes with the row's length first. */
export const llamaTensors = (shape: LlamaShape, vocabularySize: number): [name: string, shape: number[]][] => {
  const { embeddingLength: width, feedForwardLength: inner } = shape;
  const narrow = (width / shape.heads) * shape.keyValueHeads;
  const tensors: [string, number[]][] = [["token_embd.weight", [width, vocabularySize]]];
  for (let block = 0; block < shape.blocks; block++) {
    tensors.push(
      [`blk.${block}.attn_norm.weight`, [width]],
      [`blk.${block}.attn_q.weight`, [width, width]],
      [`blk.${block}.attn_k.weight`, [width, narrow]],
      [`blk.${block}.attn_v.weight`, [width, narrow]],
      [`blk.${block}.attn_output.weight`, [width, width]],
      [`blk.${block}.ffn_norm.weight`, [width]],
      [`blk.${block}.ffn_gate.weight`, [width, inner]],
      [`blk.${block}.ffn_down.weight`, [inner, width]],
      [`blk.${block}.ffn_up.weight`, [width, inner]],
    );
  }
  tensors.push(["output_norm.weight", [width]], ["output.weight", [width, vocabularySize]]);
  return tensors;
};

/** Lays a Llama network out as a GGUF file. */
export const llamaFile = ({ shape, vocabulary, encoding, values }: LlamaModel): GgufToWrite => ({
  metadata: new Map([...shapeEntries(shape, encoding), ...vocabularyEntries(vocabulary)]),
  tensors: llamaTensors(shape, vocabulary.tokens.length).map(([name, sizes]): TensorToWrite => ({
    name,
    shape: sizes,
    encoding: sizes.length === 1 ? "F32" : encoding,
    values: () => values(name),
  })),
});
