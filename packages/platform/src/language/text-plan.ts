import { randomInt } from "node:crypto";
import { PlatformError } from "../foundation/index.ts";
import type { Generation, LanguageModel, Sampling } from "../runtimes/index.ts";

/** Who asks, as the gateway proved it. */
export interface Asker {
  readonly requestId: string;
  readonly workspaceId: string;
  readonly keyId: string;
  readonly priority: "normal" | "low";
}

/** Everything that generating the answers to one prompt needs; the same for all wires. */
export interface TextPlan {
  readonly prompt: readonly number[];
  readonly tokensMax: number;
  readonly choices: number;
  readonly sampling: Sampling;
  readonly grammar: string | null;
  readonly alternatives: number | null;
  /** Texts that end an answer and are not part of it. */
  readonly stops: readonly string[];
  readonly asker: Asker;
}

/** Sampling members that all of OpenAI's requests share. */
export interface SamplingRequest {
  readonly temperature?: number | null | undefined;
  readonly top_p?: number | null | undefined;
  readonly top_k?: number | null | undefined;
  readonly min_p?: number | null | undefined;
  readonly repeat_penalty?: number | null | undefined;
  readonly presence_penalty?: number | null | undefined;
  readonly frequency_penalty?: number | null | undefined;
  readonly logit_bias?: Record<string, number> | null | undefined;
  readonly seed?: number | null | undefined;
  readonly stop?: string | readonly string[] | null | undefined;
}

const seedMax = 4_294_967_295;

/** Sampling with OpenAI's defaults: temperature 1, the whole distribution. */
export const toSampling = (request: SamplingRequest, vocabularySize: number): Sampling => {
  const bias = Object.entries(request.logit_bias ?? {}).map(([token, value]) => [Number(token), value] as const);
  const unknown = bias.find(([token]) => token >= vocabularySize);
  if (unknown !== undefined) {
    throw new PlatformError(
      "prompt-invalid",
      `logit_bias names the token ${unknown[0]}, but the model has ${vocabularySize}. Use ids from /v1/tokenize.`,
    );
  }
  return {
    temperature: request.temperature ?? 1,
    topP: request.top_p ?? 1,
    topK: request.top_k ?? 0,
    minP: request.min_p ?? 0,
    repeatPenalty: request.repeat_penalty ?? 1,
    presencePenalty: request.presence_penalty ?? 0,
    frequencyPenalty: request.frequency_penalty ?? 0,
    seed: request.seed === null || request.seed === undefined ? randomInt(seedMax) : Math.abs(request.seed) % seedMax,
    logitBias: new Map(bias),
  };
};

/**
 * Refuses texts that cannot fit before anything reads them: to tokenise megabytes would hold up everybody else.
 * @throws PlatformError `context-length-exceeded`.
 */
export const checkLength = ({ contextLength, longestToken }: LanguageModel, characters: number): void => {
  const least = Math.ceil(characters / longestToken);
  if (least <= contextLength) return;
  throw new PlatformError(
    "context-length-exceeded",
    `The model's context holds ${contextLength} tokens, but the ${characters} characters of the prompt are at least ${least}. Shorten the prompt.`,
  );
};

/** Stop texts of a request. */
export const toStops = ({ stop }: SamplingRequest): string[] =>
  (typeof stop === "string" ? [stop] : [...(stop ?? [])]).filter((text) => text !== "");

/**
 * How many tokens an answer may have.
 * @param asked What the request says; `null` fills the context.
 * @throws PlatformError `context-length-exceeded` with the counts.
 */
export const tokensFor = (model: LanguageModel, prompt: readonly number[], asked: number | null): number => {
  const { contextLength } = model;
  const room = contextLength - prompt.length;
  if (room >= 1 && (asked ?? 1) <= room) return asked ?? room;
  const parts = asked === null ? "" : ` and ${asked} for the answer`;
  throw new PlatformError(
    "context-length-exceeded",
    `The model's context holds ${contextLength} tokens, but the request asks for ${prompt.length + (asked ?? 1)}: ` +
      `${prompt.length} in the prompt${parts}. Shorten the prompt or ask for fewer tokens.`,
  );
};

/** The generation of one choice. */
export const toGeneration = (plan: TextPlan, choice: number): Generation => ({
  prompt: plan.prompt,
  tokensMax: plan.tokensMax,
  sampling: { ...plan.sampling, seed: (plan.sampling.seed + choice) % seedMax },
  grammar: plan.grammar,
  alternatives: plan.alternatives,
  tenant: plan.asker.workspaceId,
  owner: plan.asker.keyId,
  priority: plan.asker.priority,
});
