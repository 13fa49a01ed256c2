import type { Command } from "commander";
import type { Modelyard } from "@modelyard/sdk";
import { addCommand, type CommonOptions, type Context, contextOf } from "../command.ts";
import { UsageError } from "../failure.ts";
import { formatMetric } from "../output/numbers.ts";
import { paint, type Terminal } from "../terminal.ts";

type ChatRequest = Parameters<Modelyard["v1"]["streamChat"]>[0];
type Message = ChatRequest["messages"][number];

interface ChatOptions extends CommonOptions {
  readonly message?: string;
  readonly system?: string;
  readonly temperature?: number;
  readonly maxTokens?: number;
}

/** An answer with what it took. */
interface ChatAnswer {
  readonly text: string;
  readonly promptTokens: number;
  readonly tokens: number;
  readonly firstTokenMs: number;
  readonly tokensPerSecond: number;
}

/** Asks once and shows the answer as it comes. */
const ask = async (
  { connection, terminal, json }: Context,
  model: string,
  { messages, options }: { readonly messages: readonly Message[]; readonly options: ChatOptions },
): Promise<ChatAnswer> => {
  const startMs = performance.now();
  let firstMs: number | null = null;
  let text = "";
  let usage = { prompt_tokens: 0, completion_tokens: 0 };
  const request: ChatRequest = {
    model,
    messages: [...messages],
    temperature: options.temperature,
    max_tokens: options.maxTokens,
    stream_options: { include_usage: true },
  };
  for await (const chunk of connection.yard.v1.streamChat(request, { signal: terminal.interrupted })) {
    if (chunk.error !== undefined) throw new UsageError("usage", chunk.error.message);
    const piece = chunk.choices[0]?.delta.content ?? "";
    if (piece !== "") firstMs ??= performance.now();
    text += piece;
    if (!json) terminal.out(piece);
    usage = chunk.usage ?? usage;
  }
  const endMs = performance.now();
  const seconds = (endMs - (firstMs ?? endMs)) / 1000;
  return {
    text,
    promptTokens: usage.prompt_tokens,
    tokens: usage.completion_tokens,
    firstTokenMs: (firstMs ?? endMs) - startMs,
    tokensPerSecond: seconds > 0 ? (usage.completion_tokens - 1) / seconds : 0,
  };
};

const describe = (terminal: Terminal, answer: ChatAnswer): string =>
  paint(
    terminal,
    "dim",
    `\n${answer.promptTokens} + ${answer.tokens} tokens, first after ${answer.firstTokenMs.toFixed(0)} ms, ` +
      `${formatMetric(answer.tokensPerSecond)} tokens/s\n`,
  );

const converse = async (context: Context, model: string, options: ChatOptions): Promise<void> => {
  const { terminal } = context;
  const messages: Message[] = options.system === undefined ? [] : [{ role: "system", content: options.system }];
  terminal.err(`Talking to ${model}. An empty line or Ctrl-D ends it.\n`);
  for (;;) {
    const line = await terminal.ask("> ");
    if (line === null || line.trim() === "") return;
    messages.push({ role: "user", content: line });
    const answer = await ask(context, model, { messages, options });
    messages.push({ role: "assistant", content: answer.text });
    terminal.err(describe(terminal, answer));
  }
};

const numberFrom = (text: string): number => {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new RangeError(`"${text}" must be a number`);
  return value;
};

/** Adds `chat`. */
export const addChatCommand = (program: Command, terminal: Terminal): void => {
  addCommand(program, { usage: "chat <endpoint>", about: "talk to a language model; answers come as they are made" })
    .option("-m, --message <text>", "ask this one thing and end")
    .option("--system <text>", "what the model is told before the conversation")
    .option("--temperature <number>", "0 always takes the likeliest token", numberFrom)
    .option("--max-tokens <count>", "longest answer", numberFrom)
    .action(async (model: string, options: ChatOptions) => {
      const context = contextOf(terminal, options);
      if (options.message === undefined) return converse(context, model, options);
      const system: Message[] = options.system === undefined ? [] : [{ role: "system", content: options.system }];
      const messages: Message[] = [...system, { role: "user", content: options.message }];
      const answer = await ask(context, model, { messages, options });
      if (context.json) return context.print(answer, "");
      terminal.out("\n");
      terminal.err(describe(terminal, answer));
    });
};
