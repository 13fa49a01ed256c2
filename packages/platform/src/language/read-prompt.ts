import { PlatformError } from "../foundation/index.ts";
import type { LanguageModel } from "../runtimes/index.ts";
import { checkLength } from "./text-plan.ts";

type Prompt = string | readonly string[] | readonly number[] | readonly (readonly number[])[];

const isTokens = (prompt: readonly unknown[]): prompt is readonly number[] => typeof prompt[0] === "number";

const check = (model: LanguageModel, tokens: readonly number[]): readonly number[] => {
  const wrong = tokens.find((token) => token >= model.vocabularySize);
  if (wrong === undefined) return tokens;
  throw new PlatformError(
    "prompt-invalid",
    `The prompt holds the token ${wrong}, but the model has ${model.vocabularySize}. Use ids from /v1/tokenize.`,
  );
};

const begin = ({ beginToken }: LanguageModel, tokens: readonly number[]): readonly number[] =>
  beginToken === null || tokens[0] === beginToken ? tokens : [beginToken, ...tokens];

/** Tokens of a text as the model wants to begin with them. @param special Whether special tokens' texts count. */
export const toTokens = (model: LanguageModel, text: string, special: boolean): readonly number[] => {
  checkLength(model, text.length);
  const tokens = begin(model, model.tokenize(text, special));
  if (tokens.length > 0) return tokens;
  throw new PlatformError("prompt-invalid", "The prompt is empty, and the model cannot begin with nothing.");
};

/** One token list per prompt of a request. */
export const readPrompts = (model: LanguageModel, prompt: Prompt): (readonly number[])[] => {
  if (typeof prompt === "string") return [toTokens(model, prompt, false)];
  if (isTokens(prompt)) return [check(model, prompt)];
  return (prompt as readonly (string | readonly number[])[]).map((each) =>
    typeof each === "string" ? toTokens(model, each, false) : check(model, each),
  );
};
