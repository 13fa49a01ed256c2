import { randomUUID } from "node:crypto";
import { type ChatMessage, ChatRequest } from "@modelyard/contracts";
import { PlatformError } from "../foundation/index.ts";
import { parseInput } from "../transport/index.ts";
import { type ChosenEvent, generateChoices, type TokenDetail } from "./generate-choices.ts";
import {
  type AnswerLanguage,
  fingerprint,
  type LanguageAnswer,
  type LanguageCall,
  sentEvent,
  type ServedLanguage,
  streamEnd,
  type TokenUsage,
  toUsage,
} from "./language-wire.ts";
import { toChatLogProbabilities } from "./log-probabilities.ts";
import { toTokens } from "./read-prompt.ts";
import { type TextPlan, tokensFor, toSampling, toStops } from "./text-plan.ts";

interface Choice {
  content: string;
  details: TokenDetail[];
  finish: string | null;
}

/** Content of a message as text. */
const textOf = ({ content }: ChatMessage): string | null => {
  if (typeof content === "string" || content === null || content === undefined) return content ?? null;
  return content.map((part) => (part.type === "refusal" ? part.refusal : part.text)).join("");
};

/** Messages as templates know them: `developer` is OpenAI's newer name of `system`. */
const toTemplateMessages = (messages: readonly ChatMessage[]): unknown[] =>
  messages.map((message) => ({
    role: message.role === "developer" ? "system" : message.role,
    content: textOf(message) ?? "",
    ...(message.name ? { name: message.name } : {}),
    ...(message.tool_calls ? { tool_calls: message.tool_calls } : {}),
    ...(message.tool_call_id ? { tool_call_id: message.tool_call_id } : {}),
  }));

const renderPrompt = async (
  { loaded, templates }: ServedLanguage,
  messages: readonly ChatMessage[],
): Promise<readonly number[]> => {
  const text = await templates.render({
    messages: toTemplateMessages(messages),
    add_generation_prompt: true,
    bos_token: loaded.beginText,
    eos_token: loaded.endText,
  });
  return toTokens(loaded, text, true);
};

const checkRequest = (request: ChatRequest): void => {
  const refuse = (detail: string): never => {
    throw new PlatformError("prompt-invalid", detail);
  };
  if (request.stream !== true && request.stream_options) {
    refuse("stream_options is only allowed with stream: true. Leave it out.");
  }
  if (request.top_logprobs !== null && request.top_logprobs !== undefined && request.logprobs !== true) {
    refuse("top_logprobs is only allowed with logprobs: true.");
  }
};

const planChat = async (served: ServedLanguage, { asker }: LanguageCall, request: ChatRequest): Promise<TextPlan> => {
  checkRequest(request);
  const { loaded } = served;
  const prompt = await renderPrompt(served, request.messages);
  return {
    prompt,
    tokensMax: tokensFor(loaded, prompt, request.max_completion_tokens ?? request.max_tokens ?? null),
    choices: request.n ?? 1,
    sampling: toSampling(request, loaded.vocabularySize),
    grammar: null,
    alternatives: request.logprobs === true ? (request.top_logprobs ?? 0) : null,
    stops: toStops(request),
    asker,
  };
};

/** Writes a chat as a stream of chunks. */
class ChunkWriter {
  readonly #call: LanguageCall;
  readonly #base: object;

  constructor(call: LanguageCall, base: object) {
    this.#call = call;
    this.#base = base;
  }

  write(choice: number, delta: object, more: { readonly finish?: string; readonly logprobs?: unknown } = {}): void {
    const { finish = null, logprobs = null } = more;
    const own = { index: choice, delta, logprobs, finish_reason: finish };
    this.#call.part(sentEvent({ ...this.#base, object: "chat.completion.chunk", choices: [own] }));
  }
}

/** Answers a chat: `/v1/chat/completions`. */
export const answerChat: AnswerLanguage = async (served, call): Promise<LanguageAnswer> => {
  const request = parseInput(ChatRequest, call.body, "body");
  const plan = await planChat(served, call, request);
  const usage: TokenUsage = { promptTokens: plan.prompt.length, completionTokens: 0, cachedTokens: 0 };
  const base = {
    id: `chatcmpl-${randomUUID()}`,
    created: Math.floor(served.clock.nowMs() / 1000),
    model: served.endpoint,
    system_fingerprint: fingerprint(served),
  };
  const choices = Array.from({ length: plan.choices }, (): Choice => ({ content: "", details: [], finish: null }));
  const chunks = request.stream === true ? new ChunkWriter(call, base) : null;
  const logprobs = (details: readonly TokenDetail[]): unknown =>
    plan.alternatives === null ? null : toChatLogProbabilities(served.loaded, details);
  const take = ({ choice, event }: ChosenEvent): void => {
    const own = choices[choice] as Choice;
    switch (event.kind) {
      case "started":
        usage.cachedTokens += event.cachedTokens;
        chunks?.write(choice, { role: "assistant", content: "" });
        return;
      case "text":
        own.content += event.text;
        own.details.push(...event.details);
        chunks?.write(choice, { content: event.text }, { logprobs: logprobs(event.details) });
        return;
      case "ended":
        usage.completionTokens += event.tokens;
        own.finish = event.reason;
        chunks?.write(choice, {}, { finish: event.reason });
    }
  };
  for await (const event of generateChoices(served.loaded, plan, call.signal)) take(event);
  if (chunks !== null) {
    const counted = request.stream_options?.include_usage === true;
    const last = { ...base, object: "chat.completion.chunk", choices: [], usage: toUsage(usage) };
    return { body: `${counted ? sentEvent(last) : ""}${streamEnd}`, usage };
  }
  const answered = choices.map(({ content, details, finish }, index) => ({
    index,
    message: { role: "assistant", content, refusal: null },
    logprobs: logprobs(details),
    finish_reason: finish,
  }));
  const body = { ...base, object: "chat.completion", choices: answered, usage: toUsage(usage) };
  return { body: JSON.stringify(body), usage };
};
