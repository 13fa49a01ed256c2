import type { LanguageModel, TokenProbability } from "../runtimes/index.ts";
import type { TokenDetail } from "./generate-choices.ts";

const text = new TextDecoder();
/** JSON has no infinity; OpenAI writes this for what cannot happen. */
const impossible = -9999;

interface Entry {
  readonly token: string;
  readonly logprob: number;
  readonly bytes: readonly number[];
}

const entry = (model: LanguageModel, { token, logProbability }: TokenProbability): Entry => {
  const bytes = model.tokenBytes(token);
  return {
    token: text.decode(bytes),
    logprob: Number.isFinite(logProbability) ? logProbability : impossible,
    bytes: [...bytes],
  };
};

/** Log probabilities as chat answers hold them. */
export const toChatLogProbabilities = (
  model: LanguageModel,
  details: readonly TokenDetail[],
): Record<string, unknown> => ({
  content: details.map(({ probabilities: [own, ...top] }) => ({
    ...(own === undefined ? { token: "", logprob: impossible, bytes: [] } : entry(model, own)),
    top_logprobs: top.map((each) => entry(model, each)),
  })),
  refusal: null,
});

/** Log probabilities as completions hold them. @param start Characters of the answer before these tokens. */
export const toCompletionLogProbabilities = (
  model: LanguageModel,
  details: readonly TokenDetail[],
  start: number,
): Record<string, unknown> => {
  const chosen = details.map(({ probabilities: [own] }) => own).filter((own) => own !== undefined);
  const entries = chosen.map((own) => entry(model, own));
  let at = start;
  return {
    tokens: entries.map(({ token }) => token),
    token_logprobs: entries.map(({ logprob }) => logprob),
    top_logprobs: details.map(({ probabilities: [, ...top] }) =>
      Object.fromEntries(top.map((each) => entry(model, each)).map(({ token, logprob }) => [token, logprob])),
    ),
    text_offset: entries.map(({ token }) => {
      const offset = at;
      at += token.length;
      return offset;
    }),
  };
};
