import { DetokenizeRequest, EmbeddingRequest, TokenizeRequest } from "@modelyard/contracts";
import { PlatformError } from "../foundation/index.ts";
import { parseInput } from "../transport/index.ts";
import type { AnswerLanguage } from "./language-wire.ts";
import { readPrompts } from "./read-prompt.ts";
import { tokensFor } from "./text-plan.ts";

/** Little-endian 32-bit floats as base64: what OpenAI's client asks for unless told otherwise. */
const toBase64 = (vector: Float32Array): string => {
  const bytes = Buffer.alloc(vector.length * 4);
  for (let i = 0; i < vector.length; i++) bytes.writeFloatLE(vector[i] ?? 0, i * 4);
  return bytes.toString("base64");
};

/** The first members of a vector, brought back to length one. */
const shortened = (vector: Float32Array, dimensions: number): Float32Array => {
  if (dimensions > vector.length) {
    throw new PlatformError("prompt-invalid", `The model's vectors have ${vector.length} dimensions. Ask for fewer.`);
  }
  const part = vector.slice(0, dimensions);
  const length = Math.hypot(...part);
  return part.map((value) => (length === 0 ? 0 : value / length));
};

/** Turns texts into vectors: `/v1/embeddings`. */
export const answerEmbedding: AnswerLanguage = async (served, { body, signal }) => {
  const request = parseInput(EmbeddingRequest, body, "body");
  const { loaded } = served;
  const prompts = readPrompts(loaded, request.input);
  for (const prompt of prompts) tokensFor(loaded, prompt, null);
  const data: unknown[] = [];
  for (const [index, prompt] of prompts.entries()) {
    if (signal.aborted) break;
    const whole = await loaded.embed(prompt);
    const vector = request.dimensions ? shortened(whole, request.dimensions) : whole;
    const embedding = request.encoding_format === "base64" ? toBase64(vector) : [...vector];
    data.push({ object: "embedding", index, embedding });
  }
  const promptTokens = prompts.reduce((sum, { length }) => sum + length, 0);
  const usage = { prompt_tokens: promptTokens, total_tokens: promptTokens };
  return {
    body: JSON.stringify({ object: "list", data, model: served.endpoint, usage }),
    usage: { promptTokens, completionTokens: 0, cachedTokens: 0 },
  };
};

/** Tokenising is not interrupted, so that nobody may ask for seconds of it. */
const charactersMax = 1_000_000;

const noUsage = { promptTokens: 0, completionTokens: 0, cachedTokens: 0 };

/** Text to tokens: `/v1/tokenize`. */
export const answerTokenize: AnswerLanguage = async ({ loaded }, { body }) => {
  const { content, special } = parseInput(TokenizeRequest, body, "body");
  if (content.length > charactersMax) {
    throw new PlatformError("prompt-invalid", `At most ${charactersMax} characters are tokenised at once. Send parts.`);
  }
  const tokens = loaded.tokenize(content, special === true);
  return { body: JSON.stringify({ tokens, count: tokens.length }), usage: noUsage };
};

/** Tokens to text: `/v1/detokenize`. */
export const answerDetokenize: AnswerLanguage = async ({ loaded }, { body }) => {
  const { tokens } = parseInput(DetokenizeRequest, body, "body");
  const [checked = []] = tokens.length === 0 ? [] : readPrompts(loaded, tokens);
  return { body: JSON.stringify({ content: loaded.detokenize(checked) }), usage: noUsage };
};
