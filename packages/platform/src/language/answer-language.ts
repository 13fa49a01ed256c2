import { z } from "zod";
import { PlatformError } from "../foundation/index.ts";
import type { Frame, FrameContent, ReplicaAnswerer } from "../predictions/index.ts";
import { answerChat } from "./answer-chat.ts";
import { answerCompletion } from "./answer-completion.ts";
import { answerDetokenize, answerEmbedding, answerTokenize } from "./answer-embedding.ts";
import { answerCountTokens, answerMessages } from "./answer-messages.ts";
import type { Asker } from "./text-plan.ts";
import type { TextStatistics } from "../runtimes/index.ts";
import type { AnswerLanguage, ServedLanguage, TokenUsage } from "./language-wire.ts";

/** What a language replica can be asked. */
export type LanguageApi = "chat" | "completion" | "embedding" | "messages" | "count-tokens" | "tokenize" | "detokenize";

const answers: Readonly<Record<LanguageApi, AnswerLanguage>> = {
  chat: answerChat,
  completion: answerCompletion,
  embedding: answerEmbedding,
  messages: answerMessages,
  "count-tokens": answerCountTokens,
  tokenize: answerTokenize,
  detokenize: answerDetokenize,
};

/** What the gateway says of a request to a language replica, in the frame's head. */
export interface LanguageHead extends Asker {
  readonly api: LanguageApi;
}

const headSchema: z.ZodType<LanguageHead> = z.object({
  api: z.enum(Object.keys(answers) as [LanguageApi, ...LanguageApi[]]),
  requestId: z.string(),
  workspaceId: z.string(),
  keyId: z.string(),
  priority: z.enum(["normal", "low"]),
});

/** What a replica says of itself with every answer, in the frame's head. */
export interface LanguageAnswerHead extends TokenUsage {
  readonly engine: TextStatistics & { readonly id: number };
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

const parseBody = (bytes: Uint8Array): unknown => {
  try {
    return JSON.parse(utf8.decode(bytes)) as unknown;
  } catch (cause) {
    throw new PlatformError("malformed-json", "The body is not valid JSON in UTF-8. Mend it and send it again.", {
      cause,
    });
  }
};

/** Answers what the gateway asks a language model. */
export const languageAnswerer = (served: ServedLanguage): ReplicaAnswerer => ({
  answer: async (frame: Frame, onUnderWay, part): Promise<FrameContent> => {
    if (frame.kind !== "language") {
      throw new PlatformError(
        "not-supported",
        "The endpoint's model takes text. Ask it at /v1/chat/completions or /v1/completions.",
      );
    }
    const { api, ...asker } = headSchema.parse(frame.head);
    const body = parseBody(frame.body);
    const abort = new AbortController();
    onUnderWay({ cancel: () => abort.abort() });
    const call = { body, asker, signal: abort.signal, part: (text: string) => part(Buffer.from(text)) };
    const answer = await answers[api](served, call);
    const head: LanguageAnswerHead = { ...answer.usage, engine: { id: process.pid, ...served.loaded.statistics } };
    return { head, body: Buffer.from(answer.body) };
  },
});
