import { randomUUID } from "node:crypto";
import { ChatRequest, CountTokensRequest, MessagesRequest } from "@modelyard/contracts";
import { parseInput } from "../transport/index.ts";
import { addEvent, type AnsweredChoice, type ChatEvent, emptyChoices, generateChat } from "./generate-chat.ts";
import type { AnswerLanguage, LanguageAnswer, LanguageCall, TokenUsage } from "./language-wire.ts";
import { planChat } from "./plan-chat.ts";

type Message = CountTokensRequest["messages"][number];
type Block = Exclude<Message["content"], string>[number];

const textsOf = (content: string | readonly { readonly text: string }[] | null | undefined): string =>
  typeof content === "string" ? content : (content ?? []).map(({ text }) => text).join("");

/** A message as OpenAI has it; results of tools become messages of their own. */
const toChatMessages = ({ role, content }: Message): unknown[] => {
  if (typeof content === "string") return [{ role, content }];
  const results = content.filter((block) => block.type === "tool_result");
  const calls = content.filter((block) => block.type === "tool_use");
  const text = content
    .filter((block): block is Extract<Block, { type: "text" }> => block.type === "text")
    .map((block) => block.text)
    .join("");
  const own = {
    role,
    content: text,
    ...(calls.length > 0
      ? {
          tool_calls: calls.map(({ id, name, input }) => ({
            id,
            type: "function",
            function: { name, arguments: JSON.stringify(input) },
          })),
        }
      : {}),
  };
  const told = results.map((block) => ({
    role: "tool",
    tool_call_id: block.tool_use_id,
    content: textsOf(block.content),
  }));
  return [...told, ...(text !== "" || calls.length > 0 ? [own] : [])];
};

const toToolChoice = (choice: CountTokensRequest["tool_choice"]): unknown => {
  if (choice?.type === "tool") return { type: "function", function: { name: choice.name ?? "" } };
  return choice?.type === "any" ? "required" : choice?.type;
};

/** Anthropic's request in the words of OpenAI's, so that both are planned by the same code. */
const toChatRequest = (request: CountTokensRequest & Partial<MessagesRequest>): ChatRequest => {
  const system = textsOf(request.system);
  return parseInput(
    ChatRequest,
    {
      model: request.model,
      messages: [
        ...(system === "" ? [] : [{ role: "system", content: system }]),
        ...request.messages.flatMap(toChatMessages),
      ],
      max_tokens: request.max_tokens,
      temperature: request.temperature,
      top_p: request.top_p,
      top_k: request.top_k,
      stream: request.stream,
      tools: request.tools?.map(({ name, description, input_schema: parameters }) => ({
        type: "function",
        function: { name, description, parameters },
      })),
      tool_choice: toToolChoice(request.tool_choice),
      parallel_tool_calls: request.tool_choice?.disable_parallel_tool_use !== true,
    },
    "body",
  );
};

const stopReasons = { length: "max_tokens", tool_calls: "tool_use", stop: "end_turn" } as const;

const stopOf = ({ finish, stopText }: AnsweredChoice): { stop_reason: string; stop_sequence: string | null } =>
  stopText === null
    ? { stop_reason: stopReasons[finish ?? "stop"], stop_sequence: null }
    : { stop_reason: "stop_sequence", stop_sequence: stopText };

const toUsage = ({ promptTokens, completionTokens, cachedTokens }: TokenUsage): object => ({
  input_tokens: promptTokens - cachedTokens,
  cache_read_input_tokens: cachedTokens,
  cache_creation_input_tokens: 0,
  output_tokens: completionTokens,
});

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // Cut off by the number of tokens.
    return {};
  }
};

/** Writes Anthropic's events: blocks that open, grow and close, one after the other. */
class EventWriter {
  readonly #call: LanguageCall;
  #block = -1;
  #open = false;

  constructor(call: LanguageCall) {
    this.#call = call;
  }

  write(type: string, content: object): void {
    this.#call.part(`event: ${type}\ndata: ${JSON.stringify({ type, ...content })}\n\n`);
  }

  event(event: ChatEvent): void {
    if (event.kind === "content") {
      if (!this.#open) this.#begin({ type: "text", text: "" });
      this.#grow({ type: "text_delta", text: event.text });
    } else if (event.kind === "call") {
      this.close();
      this.#begin({ type: "tool_use", id: event.id, name: event.name, input: {} });
    } else if (event.kind === "arguments") this.#grow({ type: "input_json_delta", partial_json: event.text });
  }

  close(): void {
    if (this.#open) this.write("content_block_stop", { index: this.#block });
    this.#open = false;
  }

  #begin(block: object): void {
    this.#open = true;
    this.write("content_block_start", { index: ++this.#block, content_block: block });
  }

  #grow(delta: object): void {
    this.write("content_block_delta", { index: this.#block, delta });
  }
}

/** Answers Anthropic's messages: `/v1/messages`. */
export const answerMessages: AnswerLanguage = async (served, call): Promise<LanguageAnswer> => {
  const request = parseInput(MessagesRequest, call.body, "body");
  const planned = await planChat(served, toChatRequest(request), call.asker);
  const plan = { ...planned, stops: [...(request.stop_sequences ?? [])] };
  const usage: TokenUsage = { promptTokens: plan.prompt.length, completionTokens: 0, cachedTokens: 0 };
  const base = {
    id: `msg_${randomUUID().replaceAll("-", "")}`,
    type: "message",
    role: "assistant",
    model: served.endpoint,
  };
  const [choice] = emptyChoices(1) as [AnsweredChoice];
  const events = request.stream === true ? new EventWriter(call) : null;
  for await (const { event } of generateChat(served.loaded, plan, call.signal)) {
    if (event.kind === "started") {
      usage.cachedTokens = event.cachedTokens;
      const message = { ...base, content: [], stop_reason: null, stop_sequence: null, usage: toUsage(usage) };
      events?.write("message_start", { message });
    }
    if (event.kind === "ended") usage.completionTokens = event.tokens;
    addEvent(choice, event);
    events?.event(event);
  }
  if (events !== null) {
    events.close();
    events.write("message_delta", { delta: stopOf(choice), usage: toUsage(usage) });
    return { body: 'event: message_stop\ndata: {"type":"message_stop"}\n\n', usage };
  }
  const content = [
    ...(choice.content === "" ? [] : [{ type: "text", text: choice.content }]),
    ...choice.calls.map(({ id, name, arguments: given }) => ({ type: "tool_use", id, name, input: parsed(given) })),
  ];
  return { body: JSON.stringify({ ...base, content, ...stopOf(choice), usage: toUsage(usage) }), usage };
};

/** Counts the tokens that messages would take: `/v1/messages/count_tokens`. */
export const answerCountTokens: AnswerLanguage = async (served, call): Promise<LanguageAnswer> => {
  const request = parseInput(CountTokensRequest, call.body, "body");
  const { prompt } = await planChat(served, toChatRequest(request), call.asker);
  const body = JSON.stringify({ input_tokens: prompt.length });
  return { body, usage: { promptTokens: 0, completionTokens: 0, cachedTokens: 0 } };
};
