import { z } from "zod";
import { Nothing } from "./names.ts";
import { operation } from "./operation.ts";

/** What a GGUF language model is and needs, read from its header when it was registered. */
export const LanguageModel = z.object({
  architecture: z.string(),
  /** Name inside the file. */
  name: z.string().nullable(),
  parameters: z.int(),
  /** Longest sequence in tokens. */
  contextLength: z.int(),
  embeddingLength: z.int(),
  blocks: z.int(),
  vocabularySize: z.int(),
  /** Encoding of most weights, e.g. `Q8_0`. */
  quantization: z.string(),
  /** Jinja template that turns messages into a prompt; `null` when the file has none. */
  chatTemplate: z.string().nullable(),
  weightBytes: z.int(),
  keyValueBytesPerToken: z.int(),
});
/** What a GGUF language model is and needs. */
export type LanguageModel = z.infer<typeof LanguageModel>;

/** Clients of OpenAI send `null` for what they leave open. */
const open = <S extends z.ZodType>(schema: S) => schema.nullish();
const stop = open(z.union([z.string().max(512), z.array(z.string().min(1).max(512)).max(4)]));

/** Sampling of one request, with OpenAI's names and bounds; `top_k`, `min_p` and `repeat_penalty` as llama-server has them. */
const sampling = {
  temperature: open(z.number().min(0).max(2)),
  top_p: open(z.number().min(0).max(1)),
  top_k: open(z.int().min(0).max(1_000_000)),
  min_p: open(z.number().min(0).max(1)),
  repeat_penalty: open(z.number().min(0.1).max(10)),
  presence_penalty: open(z.number().min(-2).max(2)),
  frequency_penalty: open(z.number().min(-2).max(2)),
  logit_bias: open(z.record(z.string().regex(/^\d{1,9}$/), z.number().min(-100).max(100))),
  seed: open(z.int()),
  stop,
  user: open(z.string().max(512)),
};

const streaming = {
  stream: open(z.boolean()),
  stream_options: open(z.object({ include_usage: open(z.boolean()) })),
};

const model = z.string().min(1).max(200);
const choices = open(z.int().min(1).max(128));

/** A part of a message's content; only text is understood by text models. */
const ContentPart = z.union([
  z.object({ type: z.enum(["text", "input_text", "output_text"]), text: z.string() }),
  z.object({ type: z.literal("refusal"), refusal: z.string() }),
]);

/** A call of a tool inside an assistant's message. */
export const ToolCall = z.object({
  id: z.string(),
  type: z.literal("function").default("function"),
  function: z.object({ name: z.string(), arguments: z.string() }),
});
/** A call of a tool inside an assistant's message. */
export type ToolCall = z.infer<typeof ToolCall>;

/** One message of a chat. */
export const ChatMessage = z.object({
  role: z.enum(["system", "developer", "user", "assistant", "tool", "function"]),
  content: open(z.union([z.string(), z.array(ContentPart)])),
  name: open(z.string().max(256)),
  tool_calls: open(z.array(ToolCall).max(128)),
  tool_call_id: open(z.string().max(256)),
});
/** One message of a chat. */
export type ChatMessage = z.infer<typeof ChatMessage>;

const JsonSchema = z.record(z.string(), z.unknown());

/** A function that the model may call. */
export const Tool = z.object({
  type: z.literal("function"),
  function: z.object({
    name: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, "use 1–64 letters, digits, '_' or '-'"),
    description: open(z.string()),
    parameters: open(JsonSchema),
    strict: open(z.boolean()),
  }),
});
/** A function that the model may call. */
export type Tool = z.infer<typeof Tool>;

/** What the answer's text must be. */
export const ResponseFormat = z.discriminatedUnion("type", [
  z.object({ type: z.literal("text") }),
  z.object({ type: z.literal("json_object"), schema: open(JsonSchema) }),
  z.object({
    type: z.literal("json_schema"),
    json_schema: z.object({ name: open(z.string()), schema: open(JsonSchema), strict: open(z.boolean()) }),
  }),
]);

/** Request of `/v1/chat/completions`. Unknown members are ignored, as OpenAI's clients expect. */
export const ChatRequest = z.object({
  model,
  messages: z.array(ChatMessage).min(1).max(10_000),
  ...sampling,
  ...streaming,
  max_tokens: open(z.int().min(1)),
  max_completion_tokens: open(z.int().min(1)),
  n: choices,
  logprobs: open(z.boolean()),
  top_logprobs: open(z.int().min(0).max(20)),
  response_format: open(ResponseFormat),
  tools: open(z.array(Tool).max(128)),
  tool_choice: open(
    z.union([
      z.enum(["none", "auto", "required"]),
      z.object({ type: z.literal("function"), function: z.object({ name: z.string() }) }),
    ]),
  ),
  parallel_tool_calls: open(z.boolean()),
});
/** Request of `/v1/chat/completions`. */
export type ChatRequest = z.infer<typeof ChatRequest>;

const Prompt = z.union([
  z.string(),
  z.array(z.string()).min(1).max(128),
  z.array(z.int().min(0)).min(1),
  z
    .array(z.array(z.int().min(0)).min(1))
    .min(1)
    .max(128),
]);

/** Request of `/v1/completions`. */
export const CompletionRequest = z.object({
  model,
  prompt: Prompt,
  ...sampling,
  ...streaming,
  max_tokens: open(z.int().min(1)),
  n: choices,
  echo: open(z.boolean()),
  logprobs: open(z.int().min(0).max(20)),
});
/** Request of `/v1/completions`. */
export type CompletionRequest = z.infer<typeof CompletionRequest>;

/** Request of `/v1/embeddings`. */
export const EmbeddingRequest = z.object({
  model,
  input: Prompt,
  encoding_format: open(z.enum(["float", "base64"])),
  dimensions: open(z.int().min(1)),
});
/** Request of `/v1/embeddings`. */
export type EmbeddingRequest = z.infer<typeof EmbeddingRequest>;

/** Request of `/v1/tokenize`. */
export const TokenizeRequest = z.object({
  model,
  content: z.string(),
  /** Whether texts of special tokens become those tokens. */
  special: open(z.boolean()),
});
/** Request of `/v1/tokenize`. */
export type TokenizeRequest = z.infer<typeof TokenizeRequest>;

/** Request of `/v1/detokenize`. */
export const DetokenizeRequest = z.object({ model, tokens: z.array(z.int().min(0)).max(1_000_000) });
/** Request of `/v1/detokenize`. */
export type DetokenizeRequest = z.infer<typeof DetokenizeRequest>;

/** A model as `/v1/models` lists it: an endpoint whose model takes text. */
export const ListedModel = z.object({
  id: z.string(),
  object: z.literal("model"),
  created: z.int(),
  owned_by: z.string(),
  context_length: z.int(),
});

const MessageBlock = z.union([
  z.object({ type: z.literal("text"), text: z.string() }),
  z.object({ type: z.literal("tool_use"), id: z.string(), name: z.string(), input: JsonSchema }),
  z.object({
    type: z.literal("tool_result"),
    tool_use_id: z.string(),
    content: open(z.union([z.string(), z.array(z.object({ type: z.literal("text"), text: z.string() }))])),
  }),
]);

/** What counts as the prompt of Anthropic's messages. */
const messagesPrompt = {
  model,
  messages: z
    .array(z.object({ role: z.enum(["user", "assistant"]), content: z.union([z.string(), z.array(MessageBlock)]) }))
    .min(1)
    .max(10_000),
  system: open(z.union([z.string(), z.array(z.object({ type: z.literal("text"), text: z.string() }))])),
  tools: open(
    z
      .array(
        z.object({
          name: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
          description: open(z.string()),
          input_schema: JsonSchema,
        }),
      )
      .max(128),
  ),
  tool_choice: open(
    z.object({
      type: z.enum(["auto", "any", "tool", "none"]),
      name: open(z.string()),
      disable_parallel_tool_use: open(z.boolean()),
    }),
  ),
};

/** Request of `/v1/messages`. */
export const MessagesRequest = z.object({
  ...messagesPrompt,
  max_tokens: z.int().min(1),
  temperature: open(z.number().min(0).max(1)),
  top_p: open(z.number().min(0).max(1)),
  top_k: open(z.int().min(0)),
  stop_sequences: open(z.array(z.string().min(1).max(512)).max(16)),
  stream: open(z.boolean()),
});
/** Request of `/v1/messages`. */
export type MessagesRequest = z.infer<typeof MessagesRequest>;

/** Request of `/v1/messages/count_tokens`. */
export const CountTokensRequest = z.object(messagesPrompt);
/** Request of `/v1/messages/count_tokens`. */
export type CountTokensRequest = z.infer<typeof CountTokensRequest>;

const anObject = z.record(z.string(), z.unknown());
const languageErrors = [
  "not-found",
  "not-supported",
  "context-length-exceeded",
  "prompt-invalid",
  "malformed-json",
  "endpoint-not-ready",
  "replica-failed",
  "queue-full",
  "deadline-exceeded",
  "payload-too-large",
] as const;

const languageOperation = <const Path extends string, S extends z.ZodType>(
  id: string,
  path: Path,
  { summary, schema }: { readonly summary: string; readonly schema: S },
) =>
  operation({
    id,
    method: "POST",
    path,
    scope: "predict",
    served: "gateway",
    summary,
    params: Nothing,
    query: Nothing,
    body: { kind: "bytes", contentTypes: ["application/json"], schema },
    response: { kind: "json", status: 200, schema: anObject },
    errors: languageErrors,
  });

/** OpenAI: chat. */
export const chatCompletions = languageOperation("v1.chat-completions", "/v1/chat/completions", {
  summary: "Answer a chat (OpenAI); with `stream` as server-sent events",
  schema: ChatRequest,
});

/** OpenAI: completion of a text. */
export const completions = languageOperation("v1.completions", "/v1/completions", {
  summary: "Continue a text (OpenAI); with `stream` as server-sent events",
  schema: CompletionRequest,
});

/** OpenAI: embeddings. */
export const embeddings = languageOperation("v1.embeddings", "/v1/embeddings", {
  summary: "Turn texts into vectors (OpenAI)",
  schema: EmbeddingRequest,
});

/** Anthropic: messages. */
export const messages = languageOperation("v1.messages", "/v1/messages", {
  summary: "Answer messages (Anthropic); with `stream` as server-sent events",
  schema: MessagesRequest,
});

/** Anthropic: tokens of messages. */
export const countMessageTokens = languageOperation("v1.messages-count-tokens", "/v1/messages/count_tokens", {
  summary: "Count the tokens of messages (Anthropic)",
  schema: CountTokensRequest,
});

/** Text to tokens. */
export const tokenize = languageOperation("v1.tokenize", "/v1/tokenize", {
  summary: "Turn a text into the model's tokens",
  schema: TokenizeRequest,
});

/** Tokens to text. */
export const detokenize = languageOperation("v1.detokenize", "/v1/detokenize", {
  summary: "Turn tokens of the model into text",
  schema: DetokenizeRequest,
});

/** OpenAI: models. */
export const listLanguageModels = operation({
  id: "v1.models",
  method: "GET",
  path: "/v1/models",
  scope: "predict",
  served: "gateway",
  summary: "List the endpoints that take text (OpenAI)",
  params: Nothing,
  query: Nothing,
  body: { kind: "none" },
  response: {
    kind: "json",
    status: 200,
    schema: z.object({ object: z.literal("list"), data: z.array(ListedModel) }),
  },
  errors: [],
});
