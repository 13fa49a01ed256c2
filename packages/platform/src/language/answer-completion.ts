import { randomUUID } from "node:crypto";
import { CompletionRequest } from "@modelyard/contracts";
import { PlatformError } from "../foundation/index.ts";
import { parseInput } from "../transport/index.ts";
import { generateChoices, type TokenDetail } from "./generate-choices.ts";
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
import { toCompletionLogProbabilities } from "./log-probabilities.ts";
import { readPrompts } from "./read-prompt.ts";
import { type TextPlan, tokensFor, toSampling, toStops } from "./text-plan.ts";

/** OpenAI's default for completions. */
const defaultTokens = 16;
const promptsMax = 128;

interface Choice {
  text: string;
  details: TokenDetail[];
  finish: string | null;
}

interface CompletionPlan {
  readonly request: CompletionRequest;
  readonly plans: readonly TextPlan[];
}

const planCompletion = ({ loaded }: ServedLanguage, { body, asker }: LanguageCall): CompletionPlan => {
  const request = parseInput(CompletionRequest, body, "body");
  if (request.stream !== true && request.stream_options) {
    throw new PlatformError("prompt-invalid", "stream_options is only allowed with stream: true. Leave it out.");
  }
  const prompts = readPrompts(loaded, request.prompt);
  const choices = request.n ?? 1;
  if (prompts.length * choices > promptsMax) {
    throw new PlatformError("prompt-invalid", `At most ${promptsMax} texts are generated for one request. Send fewer.`);
  }
  const sampling = toSampling(request, loaded.vocabularySize);
  const plans = prompts.map((prompt): TextPlan => ({
    prompt,
    tokensMax: tokensFor(
      loaded,
      prompt,
      request.max_tokens ?? Math.min(defaultTokens, loaded.contextLength - prompt.length),
    ),
    choices,
    sampling,
    grammar: null,
    alternatives: request.logprobs ?? null,
    stops: toStops(request),
    asker,
  }));
  return { request, plans };
};

/** What all prompts of a request share. */
interface Completing {
  readonly served: ServedLanguage;
  readonly call: LanguageCall;
  readonly request: CompletionRequest;
  readonly base: object;
  readonly usage: TokenUsage;
}

const logProbabilitiesOf = (
  { served, request }: Completing,
  details: readonly TokenDetail[],
  start: number,
): Record<string, unknown> | null =>
  typeof request.logprobs === "number" ? toCompletionLogProbabilities(served.loaded, details, start) : null;

/** Continues one prompt; streams while it does when asked to. */
const completePrompt = async (completing: Completing, plan: TextPlan, firstIndex: number): Promise<unknown[]> => {
  const { served, call, request, base, usage } = completing;
  const echoed = request.echo === true ? served.loaded.detokenize(plan.prompt) : "";
  const choices = Array.from({ length: plan.choices }, (): Choice => ({ text: echoed, details: [], finish: null }));
  usage.promptTokens += plan.prompt.length;
  const tell = (choice: number, text: string, details: readonly TokenDetail[] = []): void => {
    if (request.stream !== true) return;
    const own = choices[choice] as Choice;
    const logprobs = logProbabilitiesOf(completing, details, own.text.length);
    const told = { index: firstIndex + choice, text, logprobs, finish_reason: own.finish };
    call.part(sentEvent({ ...base, choices: [told] }));
  };
  for await (const { choice, event } of generateChoices(served.loaded, plan, call.signal)) {
    const own = choices[choice] as Choice;
    if (event.kind === "started") {
      usage.cachedTokens += event.cachedTokens;
      tell(choice, echoed);
    } else if (event.kind === "text") {
      tell(choice, event.text, event.details);
      own.text += event.text;
      own.details.push(...event.details);
    } else {
      own.finish = event.reason;
      usage.completionTokens += event.tokens;
      tell(choice, "");
    }
  }
  return choices.map(({ text, details, finish }, choice) => ({
    index: firstIndex + choice,
    text,
    logprobs: logProbabilitiesOf(completing, details, echoed.length),
    finish_reason: finish,
  }));
};

/** Continues texts: `/v1/completions`. */
export const answerCompletion: AnswerLanguage = async (served, call): Promise<LanguageAnswer> => {
  const { request, plans } = planCompletion(served, call);
  const usage: TokenUsage = { promptTokens: 0, completionTokens: 0, cachedTokens: 0 };
  const base = {
    id: `cmpl-${randomUUID()}`,
    object: "text_completion",
    created: Math.floor(served.clock.nowMs() / 1000),
    model: served.endpoint,
    system_fingerprint: fingerprint(served),
  };
  const choices: unknown[] = [];
  for (const plan of plans) {
    choices.push(...(await completePrompt({ served, call, request, base, usage }, plan, choices.length)));
  }
  if (request.stream !== true) {
    return { body: JSON.stringify({ ...base, choices, usage: toUsage(usage) }), usage };
  }
  const counted = request.stream_options?.include_usage === true;
  return { body: `${counted ? sentEvent({ ...base, choices: [], usage: toUsage(usage) }) : ""}${streamEnd}`, usage };
};
