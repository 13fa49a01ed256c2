import { randomUUID } from "node:crypto";
import type { LanguageModel } from "../runtimes/index.ts";
import { generateChoices, type TokenDetail } from "./generate-choices.ts";
import type { ChatPlan } from "./plan-chat.ts";
import { openToolCalls } from "./read-tool-calls.ts";

/** What happens to one choice of a chat's answer. */
export type ChatEvent =
  | { readonly kind: "started"; readonly cachedTokens: number }
  | { readonly kind: "content"; readonly text: string; readonly details: readonly TokenDetail[] }
  | { readonly kind: "call"; readonly index: number; readonly id: string; readonly name: string }
  | { readonly kind: "arguments"; readonly index: number; readonly text: string }
  | {
      readonly kind: "ended";
      readonly reason: "stop" | "length" | "tool_calls";
      readonly tokens: number;
      readonly stopText: string | null;
    };

/** Generates the choices of a chat's answer, calls of tools taken out of their text. */
export async function* generateChat(
  model: LanguageModel,
  plan: ChatPlan,
  signal: AbortSignal,
): AsyncGenerator<{ readonly choice: number; readonly event: ChatEvent }> {
  const readers = Array.from({ length: plan.choices }, openToolCalls);
  const called = new Set<number>();
  for await (const { choice, event } of generateChoices(model, plan, signal)) {
    if (event.kind === "started") yield { choice, event };
    else if (event.kind === "ended") {
      const reason = called.has(choice) && event.reason === "stop" ? "tool_calls" : event.reason;
      yield { choice, event: { ...event, reason } };
    } else if (!plan.calls) {
      yield { choice, event: { kind: "content", text: event.text, details: event.details } };
    } else {
      for (const part of readers[choice]?.push(event.text) ?? []) {
        if (part.kind === "content") yield { choice, event: { ...part, details: event.details } };
        else if (part.kind === "arguments") yield { choice, event: part };
        else {
          called.add(choice);
          yield { choice, event: { ...part, id: `call_${randomUUID().replaceAll("-", "").slice(0, 24)}` } };
        }
      }
    }
  }
}

/** A finished choice. */
export interface AnsweredChoice {
  content: string;
  details: TokenDetail[];
  calls: { readonly id: string; readonly name: string; arguments: string }[];
  finish: "stop" | "length" | "tool_calls" | null;
  stopText: string | null;
}

/** Choices before their first token. */
export const emptyChoices = (count: number): AnsweredChoice[] =>
  Array.from({ length: count }, () => ({ content: "", details: [], calls: [], finish: null, stopText: null }));

/** Adds an event to the choice that it belongs to. */
export const addEvent = (choice: AnsweredChoice, event: ChatEvent): void => {
  switch (event.kind) {
    case "started":
      return;
    case "content":
      choice.content += event.text;
      choice.details.push(...event.details);
      return;
    case "call":
      choice.calls.push({ id: event.id, name: event.name, arguments: "" });
      return;
    case "arguments": {
      const call = choice.calls[event.index];
      if (call !== undefined) call.arguments += event.text;
      return;
    }
    case "ended":
      choice.finish = event.reason;
      choice.stopText = event.stopText;
  }
};
