import type { LanguageModel, TokenProbability } from "../runtimes/index.ts";
import { type TextPlan, toGeneration } from "./text-plan.ts";

/** A generated token with its probabilities, when they were asked for. */
export interface TokenDetail {
  readonly token: number;
  readonly probabilities: readonly TokenProbability[];
}

/** What happens to one choice, stop texts already taken out. */
export type ChoiceEvent =
  | { readonly kind: "started"; readonly cachedTokens: number }
  | { readonly kind: "text"; readonly text: string; readonly details: readonly TokenDetail[] }
  | {
      readonly kind: "ended";
      readonly reason: "stop" | "length";
      readonly tokens: number;
      /** The stop text that ended it. */
      readonly stopText: string | null;
    };

/** Length of the longest end of a text that is the beginning of one of the stop texts. */
const unfinishedStop = (text: string, stops: readonly string[]): number => {
  let longest = 0;
  for (const stop of stops) {
    for (let length = Math.min(stop.length - 1, text.length); length > longest; length--) {
      if (text.endsWith(stop.slice(0, length))) longest = length;
    }
  }
  return longest;
};

/** The stop text that comes first. */
const firstStop = (text: string, stops: readonly string[]): { readonly at: number; readonly stop: string } | null => {
  let found: { at: number; stop: string } | null = null;
  for (const stop of stops) {
    const at = text.indexOf(stop);
    if (at >= 0 && (found === null || at < found.at)) found = { at, stop };
  }
  return found;
};

/** Generates one choice. Text that may be the beginning of a stop text is held back until it is known not to be. */
async function* generateChoice(
  model: LanguageModel,
  plan: TextPlan,
  { choice, signal }: { readonly choice: number; readonly signal: AbortSignal },
): AsyncGenerator<ChoiceEvent> {
  let held = "";
  let details: TokenDetail[] = [];
  let tokens = 0;
  for await (const event of model.generate(toGeneration(plan, choice), signal)) {
    if (event.kind === "started") {
      yield event;
      continue;
    }
    held += event.text;
    if (event.kind === "token") {
      tokens++;
      if (event.probabilities !== null) details.push({ token: event.token, probabilities: event.probabilities });
    }
    const stop = firstStop(held, plan.stops);
    if (stop !== null) {
      yield { kind: "text", text: held.slice(0, stop.at), details };
      yield { kind: "ended", reason: "stop", tokens, stopText: stop.stop };
      return;
    }
    const keep = event.kind === "ended" ? 0 : unfinishedStop(held, plan.stops);
    const text = held.slice(0, held.length - keep);
    if (text !== "" || (details.length > 0 && keep === 0)) {
      yield { kind: "text", text, details };
      held = held.slice(text.length);
      details = [];
    }
    if (event.kind === "ended") yield { kind: "ended", reason: event.reason, tokens, stopText: null };
  }
}

/** An event and the choice that it belongs to. */
export interface ChosenEvent {
  readonly choice: number;
  readonly event: ChoiceEvent;
}

/** Generates all choices side by side; their events come as they happen. */
export async function* generateChoices(
  model: LanguageModel,
  plan: TextPlan,
  signal: AbortSignal,
): AsyncGenerator<ChosenEvent> {
  // When one choice fails or nobody listens any more, the others end too.
  const ending = new AbortController();
  const either = AbortSignal.any([ending.signal, signal]);
  const streams = Array.from({ length: plan.choices }, (_, choice) =>
    generateChoice(model, plan, { choice, signal: either }),
  );
  const next = (choice: number): Promise<{ choice: number; result: IteratorResult<ChoiceEvent, void> }> =>
    (streams[choice] as AsyncGenerator<ChoiceEvent, void>).next().then((result) => ({ choice, result }));
  const open = new Map(streams.map((_, choice) => [choice, next(choice)]));
  try {
    while (open.size > 0) {
      const { choice, result } = await Promise.race(open.values());
      if (result.done === true) {
        open.delete(choice);
        continue;
      }
      open.set(choice, next(choice));
      yield { choice, event: result.value };
    }
  } finally {
    ending.abort();
    // A failure of what is being ended has nobody left to reach.
    await Promise.allSettled(open.values());
  }
}
