import type { ChatMessage, ChatRequest, Tool } from "@modelyard/contracts";
import { PlatformError } from "../foundation/index.ts";
import type { ServedLanguage } from "./language-wire.ts";
import { toTokens } from "./read-prompt.ts";
import { callMarks, jsonObjectGrammar, schemaGrammar, toolGrammar } from "./schema-grammar.ts";
import { type Asker, checkLength, type TextPlan, tokensFor, toSampling, toStops } from "./text-plan.ts";

/** A chat's answer as it is to be generated. */
export interface ChatPlan extends TextPlan {
  /** Whether the answer may hold calls of tools, which are then taken out of its text. */
  readonly calls: boolean;
}

const refuse = (detail: string): never => {
  throw new PlatformError("prompt-invalid", detail);
};

/** Content of a message as text. */
const textOf = ({ content }: ChatMessage): string => {
  if (typeof content === "string" || content === null || content === undefined) return content ?? "";
  return content.map((part) => (part.type === "refusal" ? part.refusal : part.text)).join("");
};

const callText = (message: ChatMessage): string =>
  (message.tool_calls ?? [])
    .map(
      (call) => `${callMarks.begin}${call.function.name}${callMarks.middle}${call.function.arguments}${callMarks.end}`,
    )
    .join("\n");

/** What a template that knows no tools is told in words: the calls before, and what came of them. */
const toPlainMessage = (message: ChatMessage): Record<string, unknown> => {
  if (message.role === "tool" || message.role === "function") {
    return { role: "user", content: `<tool_response>\n${textOf(message)}\n</tool_response>` };
  }
  return { role: message.role, content: [textOf(message), callText(message)].filter(Boolean).join("\n") };
};

/** Messages as templates know them: `developer` is OpenAI's newer name of `system`. */
const toTemplateMessages = (messages: readonly ChatMessage[], knowsTools: boolean): Record<string, unknown>[] =>
  messages
    .map((message) => ({ ...message, role: message.role === "developer" ? ("system" as const) : message.role }))
    .map((message) => {
      if (!knowsTools) return toPlainMessage(message);
      const { role, name, tool_calls: calls, tool_call_id: callId } = message;
      return {
        role,
        content: textOf(message),
        ...(name ? { name } : {}),
        ...(calls ? { tool_calls: calls } : {}),
        ...(callId ? { tool_call_id: callId } : {}),
      };
    });

const describeTools = (tools: readonly Tool[]): string =>
  [
    "You may call these functions. Their signatures in JSON:",
    ...tools.map(({ function: { name, description, parameters } }) =>
      JSON.stringify({ name, description, parameters }),
    ),
    `To call one, answer with ${callMarks.begin}NAME${callMarks.middle}{…}${callMarks.end} and nothing else.`,
  ].join("\n");

/** The tools that the answer may call, as the request allows. */
const activeTools = ({ tools, tool_choice: choice }: ChatRequest): readonly Tool[] => {
  const all = tools ?? [];
  const names = new Set(all.map((tool) => tool.function.name));
  if (names.size < all.length) refuse("Two tools have the same name. Give each its own.");
  if (choice === "none") return [];
  if (choice === "required" && all.length === 0) refuse("tool_choice is required, but the request brings no tools.");
  if (typeof choice !== "object" || choice === null) return all;
  const chosen = all.filter((tool) => tool.function.name === choice.function.name);
  return chosen.length > 0
    ? chosen
    : refuse(`tool_choice names "${choice.function.name}", which is none of the tools.`);
};

const grammarOf = (request: ChatRequest, tools: readonly Tool[]): string | null => {
  const format = request.response_format ?? { type: "text" as const };
  if (tools.length > 0) {
    if (format.type !== "text") refuse("response_format cannot be combined with tools. Set tool_choice to none.");
    const schemas = tools.map(({ function: { name, parameters } }) => ({ name, parameters }));
    const free = request.tool_choice === null || request.tool_choice === undefined || request.tool_choice === "auto";
    const many = request.parallel_tool_calls !== false && typeof request.tool_choice !== "object";
    return toolGrammar(schemas, { free, many });
  }
  if (format.type === "text") return null;
  const schema = format.type === "json_schema" ? format.json_schema.schema : format.schema;
  return schema ? schemaGrammar(schema) : jsonObjectGrammar();
};

const renderPrompt = async (
  { loaded, templates, facts }: ServedLanguage,
  messages: readonly ChatMessage[],
  tools: readonly Tool[],
): Promise<readonly number[]> => {
  checkLength(
    loaded,
    messages.reduce((sum, message) => sum + textOf(message).length, 0),
  );
  const knowsTools = facts.chatTemplate?.includes("tools") === true;
  const told = toTemplateMessages(messages, knowsTools);
  if (tools.length > 0 && !knowsTools) told.unshift({ role: "system", content: describeTools(tools) });
  const text = await templates.render({
    messages: told,
    ...(tools.length > 0 && knowsTools ? { tools } : {}),
    add_generation_prompt: true,
    bos_token: loaded.beginText,
    eos_token: loaded.endText,
  });
  return toTokens(loaded, text, true);
};

/**
 * Turns a chat into what is to be generated: renders the prompt, compiles schema or tools, checks that all of it fits.
 * @throws PlatformError `prompt-invalid`, `context-length-exceeded`.
 */
export const planChat = async (served: ServedLanguage, request: ChatRequest, asker: Asker): Promise<ChatPlan> => {
  if (request.stream !== true && request.stream_options) {
    refuse("stream_options is only allowed with stream: true. Leave it out.");
  }
  if (typeof request.top_logprobs === "number" && request.logprobs !== true) {
    refuse("top_logprobs is only allowed with logprobs: true.");
  }
  const { loaded } = served;
  const tools = activeTools(request);
  const grammar = grammarOf(request, tools);
  const prompt = await renderPrompt(served, request.messages, tools);
  return {
    prompt,
    tokensMax: tokensFor(loaded, prompt, request.max_completion_tokens ?? request.max_tokens ?? null),
    choices: request.n ?? 1,
    sampling: toSampling(request, loaded.vocabularySize),
    grammar,
    alternatives: request.logprobs === true ? (request.top_logprobs ?? 0) : null,
    stops: toStops(request),
    calls: tools.length > 0,
    asker,
  };
};
