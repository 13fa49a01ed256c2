import { LearnError } from "../../errors.ts";
import type { GgufHeader, GgufValue } from "./gguf.ts";

/** What a GGUF language model is, from its header alone. */
export interface LanguageModelFacts {
  /** Kind of network, e.g. `llama`. */
  readonly architecture: string;
  readonly name: string | null;
  readonly parameters: number;
  /** Longest sequence in tokens that the model was made for. */
  readonly contextLength: number;
  readonly embeddingLength: number;
  readonly blocks: number;
  readonly vocabularySize: number;
  /** Encoding that most of the weights have, e.g. `Q8_0`. */
  readonly quantization: string;
  /** Jinja template that turns messages into a prompt. */
  readonly chatTemplate: string | null;
  /** Bytes that the weights take in memory. */
  readonly weightBytes: number;
  /** Bytes that keys and values of one token take, as half-precision numbers. */
  readonly keyValueBytesPerToken: number;
}

const sizeMax = 1 << 28;
const halfBytes = 2;

const fail = (message: string): never => {
  throw new LearnError("gguf-invalid", `${message} Convert the model again with a current converter.`);
};

const text = (value: GgufValue | undefined): string | null => (value?.type === "string" ? value.value : null);

/** A whole number of the metadata; per-block arrays give their largest. */
const whole = (value: GgufValue | undefined): number | null => {
  if (value === undefined || value.type === "string" || value.type === "bool") return null;
  const given = value.type === "array" ? value.value.values.map(Number) : [Number(value.value)];
  const largest = given.reduce((most, each) => Math.max(most, each), 0);
  return Number.isSafeInteger(largest) && largest >= 0 && largest <= sizeMax ? largest : null;
};

const vocabularyOf = (metadata: GgufHeader["metadata"]): number => {
  const tokens = metadata.get("tokenizer.ggml.tokens");
  if (tokens?.type !== "array" || tokens.value.element !== "string" || tokens.value.values.length === 0) {
    return fail("The GGUF file holds no vocabulary (tokenizer.ggml.tokens), so it is no language model.");
  }
  const size = tokens.value.values.length;
  checkVocabulary(metadata, size);
  return size;
};

/** Tables with one entry a token, and special tokens that exist: an engine would read beyond its memory otherwise. */
const checkVocabulary = (metadata: GgufHeader["metadata"], size: number): void => {
  for (const key of ["tokenizer.ggml.scores", "tokenizer.ggml.token_type"]) {
    const table = metadata.get(key);
    if (table !== undefined && (table.type !== "array" || table.value.values.length !== size)) {
      fail(`The GGUF table ${key} does not have one entry for each of the ${size} tokens.`);
    }
  }
  for (const key of ["bos", "eos", "unknown", "padding", "eot"].map((name) => `tokenizer.ggml.${name}_token_id`)) {
    const id = metadata.get(key);
    if (id !== undefined && (whole(id) ?? size) >= size) fail(`The GGUF entry ${key} names no token.`);
  }
};

const mainEncoding = (tensors: GgufHeader["tensors"]): string => {
  const bytes = new Map<string, number>();
  for (const tensor of tensors) {
    bytes.set(tensor.encoding.name, (bytes.get(tensor.encoding.name) ?? 0) + tensor.bytes);
  }
  return [...bytes].reduce((most, each) => (each[1] > most[1] ? each : most), ["F32", 0])[0];
};

/**
 * Reads what a language model is out of its header, and refuses what an engine could not serve.
 * @throws LearnError `gguf-invalid` when sizes or vocabulary are missing or contradict each other.
 */
export const describeLanguageModel = ({ metadata, tensors }: GgufHeader): LanguageModelFacts => {
  const architecture = text(metadata.get("general.architecture"));
  if (architecture === null || !/^[a-z0-9][a-z0-9_-]{0,63}$/.test(architecture)) {
    return fail("The GGUF file does not name its architecture.");
  }
  const type = text(metadata.get("general.type"));
  if (type !== null && type !== "model") return fail(`The GGUF file is of the type "${type}", not a whole model.`);
  const size = (key: string): number => {
    const value = whole(metadata.get(`${architecture}.${key}`));
    return value === null || value < 1 ? fail(`The GGUF file lacks ${architecture}.${key}, or it is no size.`) : value;
  };
  const [contextLength, embeddingLength, blocks] = [
    size("context_length"),
    size("embedding_length"),
    size("block_count"),
  ];
  const heads = size("attention.head_count");
  const keyValueHeads = whole(metadata.get(`${architecture}.attention.head_count_kv`)) ?? heads;
  const headWidth = (part: "key" | "value"): number =>
    whole(metadata.get(`${architecture}.attention.${part}_length`)) ?? Math.floor(embeddingLength / heads);
  if (tensors.length === 0) return fail("The GGUF file holds no tensors.");
  const embedding = tensors.find(({ name }) => name === "token_embd.weight");
  const vocabularySize = vocabularyOf(metadata);
  if (embedding?.shape[0] !== embeddingLength || (embedding.shape[1] ?? 0) !== vocabularySize) {
    return fail(`The GGUF embedding does not hold ${vocabularySize} rows of ${embeddingLength}.`);
  }
  return {
    architecture,
    name: text(metadata.get("general.name")),
    parameters: tensors.reduce((sum, { shape }) => sum + shape.reduce((product, each) => product * each, 1), 0),
    contextLength,
    embeddingLength,
    blocks,
    vocabularySize,
    quantization: mainEncoding(tensors),
    chatTemplate: text(metadata.get("tokenizer.chat_template")),
    weightBytes: tensors.reduce((sum, { bytes }) => sum + bytes, 0),
    keyValueBytesPerToken: blocks * keyValueHeads * (headWidth("key") + headWidth("value")) * halfBytes,
  };
};
