import { randomUUID } from "node:crypto";
import { ChatRequest } from "@modelyard/contracts";
import { parseInput } from "../transport/index.ts";
import { addEvent, type AnsweredChoice, type ChatEvent, emptyChoices, generateChat } from "./generate-chat.ts";
import type { TokenDetail } from "./generate-choices.ts";
import {
  type AnswerLanguage,
  fingerprint,
  type LanguageAnswer,
  type LanguageCall,
  sentEvent,
  streamEnd,
  type TokenUsage,
  toUsage,
} from "./language-wire.ts";
import { toChatLogProbabilities } from "./log-probabilities.ts";
import { planChat } from "./plan-chat.ts";

type ToLogProbabilities = (details: readonly TokenDetail[]) => unknown;

/** Writes a chat as OpenAI's stream of chunks. */
class ChunkWriter {
  readonly #call: LanguageCall;
  readonly #base: object;
  readonly #logprobs: ToLogProbabilities;

  constructor(call: LanguageCall, base: object, logprobs: ToLogProbabilities) {
    this.#call = call;
    this.#base = base;
    this.#logprobs = logprobs;
  }

  write(choice: number, event: ChatEvent): void {
    const logprobs = event.kind === "content" ? this.#logprobs(event.details) : null;
    const finish = event.kind === "ended" ? event.reason : null;
    const own = { index: choice, delta: this.#delta(event), logprobs, finish_reason: finish };
    this.#call.part(sentEvent({ ...this.#base, object: "chat.completion.chunk", choices: [own] }));
  }

  #delta(event: ChatEvent): object {
    switch (event.kind) {
      case "started":
        return { role: "assistant", content: "" };
      case "content":
        return { content: event.text };
      case "call": {
        const { index, id, name } = event;
        return { tool_calls: [{ index, id, type: "function", function: { name, arguments: "" } }] };
      }
      case "arguments":
        return { tool_calls: [{ index: event.index, function: { arguments: event.text } }] };
      case "ended":
        return {};
    }
  }
}

const toMessage = ({ content, calls }: AnsweredChoice): object => ({
  role: "assistant",
  content: calls.length > 0 ? null : content,
  refusal: null,
  ...(calls.length > 0
    ? {
        tool_calls: calls.map(({ id, name, arguments: given }) => ({
          id,
          type: "function",
          function: { name, arguments: given },
        })),
      }
    : {}),
});

/** Answers a chat: `/v1/chat/completions`. */
export const answerChat: AnswerLanguage = async (served, call): Promise<LanguageAnswer> => {
  const request = parseInput(ChatRequest, call.body, "body");
  const plan = await planChat(served, request, call.asker);
  const usage: TokenUsage = { promptTokens: plan.prompt.length, completionTokens: 0, cachedTokens: 0 };
  const base = {
    id: `chatcmpl-${randomUUID()}`,
    created: Math.floor(served.clock.nowMs() / 1000),
    model: served.endpoint,
    system_fingerprint: fingerprint(served),
  };
  const choices = emptyChoices(plan.choices);
  const logprobs: ToLogProbabilities = (details) =>
    plan.alternatives === null ? null : toChatLogProbabilities(served.loaded, details);
  const chunks = request.stream === true ? new ChunkWriter(call, base, logprobs) : null;
  for await (const { choice, event } of generateChat(served.loaded, plan, call.signal)) {
    if (event.kind === "started") usage.cachedTokens += event.cachedTokens;
    if (event.kind === "ended") usage.completionTokens += event.tokens;
    addEvent(choices[choice] as AnsweredChoice, event);
    chunks?.write(choice, event);
  }
  if (chunks !== null) {
    const counted = request.stream_options?.include_usage === true;
    const last = { ...base, object: "chat.completion.chunk", choices: [], usage: toUsage(usage) };
    return { body: `${counted ? sentEvent(last) : ""}${streamEnd}`, usage };
  }
  const answered = choices.map((choice, index) => ({
    index,
    message: toMessage(choice),
    logprobs: logprobs(choice.details),
    finish_reason: choice.finish,
  }));
  const body = { ...base, object: "chat.completion", choices: answered, usage: toUsage(usage) };
  return { body: JSON.stringify(body), usage };
};
