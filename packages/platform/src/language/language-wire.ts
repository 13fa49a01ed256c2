import type { Asker } from "./text-plan.ts";
import type { Clock } from "../foundation/index.ts";
import type { LanguageModel as LanguageModelFacts } from "@modelyard/contracts";
import type { LanguageModel } from "../runtimes/index.ts";
import type { TemplateSandbox } from "./template-sandbox.ts";

/** The model that a replica serves, and what belongs to it. */
export interface ServedLanguage {
  readonly endpoint: string;
  readonly model: string;
  readonly version: number;
  readonly facts: LanguageModelFacts;
  readonly loaded: LanguageModel;
  readonly templates: TemplateSandbox;
  readonly clock: Clock;
}

/** Tokens of a whole request, counted once for answer, metrics and usage. */
export interface TokenUsage {
  promptTokens: number;
  completionTokens: number;
  cachedTokens: number;
}

/** A request in the replica. */
export interface LanguageCall {
  /** Parsed JSON of the client, not checked. */
  readonly body: unknown;
  readonly asker: Asker;
  readonly signal: AbortSignal;
  /** Sends a piece of a streamed answer to the client. */
  readonly part: (text: string) => void;
}

/** What is left to send when a request is done: the whole answer, or the end of a streamed one. */
export interface LanguageAnswer {
  readonly body: string;
  readonly usage: TokenUsage;
}

/** Answers one kind of request. */
export type AnswerLanguage = (served: ServedLanguage, call: LanguageCall) => Promise<LanguageAnswer>;

/** One server-sent event without a name, as OpenAI frames them. */
export const sentEvent = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;

/** Ends OpenAI's streams. */
export const streamEnd = "data: [DONE]\n\n";

/** Name of the build, as clients compare it. */
export const fingerprint = ({ model, version }: ServedLanguage): string => `b-${model}-${version}`;

/** Usage with OpenAI's names. */
export const toUsage = ({ promptTokens, completionTokens, cachedTokens }: TokenUsage): Record<string, unknown> => ({
  prompt_tokens: promptTokens,
  completion_tokens: completionTokens,
  total_tokens: promptTokens + completionTokens,
  prompt_tokens_details: { cached_tokens: cachedTokens },
  completion_tokens_details: { reasoning_tokens: 0, accepted_prediction_tokens: 0, rejected_prediction_tokens: 0 },
});
