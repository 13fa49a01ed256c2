/** How the next token is chosen. */
export interface Sampling {
  /** 0 always takes the likeliest token. */
  readonly temperature: number;
  readonly topP: number;
  /** 0 leaves all tokens in. */
  readonly topK: number;
  readonly minP: number;
  readonly repeatPenalty: number;
  readonly presencePenalty: number;
  readonly frequencyPenalty: number;
  readonly seed: number;
  /** Added to the logits of tokens. */
  readonly logitBias: ReadonlyMap<number, number>;
}

/** One text to generate. */
export interface Generation {
  /** The prompt, with whatever begins a sequence. */
  readonly prompt: readonly number[];
  /** Most tokens to generate; prompt and answer together fit into the context. */
  readonly tokensMax: number;
  readonly sampling: Sampling;
  /** GBNF grammar that the text obeys, or `null`. */
  readonly grammar: string | null;
  /** How many likeliest tokens to tell beside the chosen one; `null` tells no probabilities. */
  readonly alternatives: number | null;
  /** Who may share cached prefixes: never two workspaces. */
  readonly tenant: string;
  /** Who asks, for fair turns and limits. */
  readonly owner: string;
  readonly priority: "normal" | "low";
}

/** A token and its probability under the model. */
export interface TokenProbability {
  readonly token: number;
  readonly logProbability: number;
}

/** What a generation tells. */
export type GenerationEvent =
  /** The prompt is being worked on: this many of its tokens were known already. */
  | { readonly kind: "started"; readonly cachedTokens: number }
  | {
      readonly kind: "token";
      readonly token: number;
      /** Text that this token completes; empty in the middle of a character. */
      readonly text: string;
      /** The chosen token first, then the likeliest; `null` when not asked for. */
      readonly probabilities: readonly TokenProbability[] | null;
    }
  /** `stop`: the model ended its text; `length`: as many tokens as asked for. The text is what was still held back. */
  | { readonly kind: "ended"; readonly reason: "stop" | "length"; readonly text: string };

/** What the engine did so far, for metrics. */
export interface TextStatistics {
  readonly decodes: number;
  /** Sequences summed over all decodes: divided by `decodes`, how well requests share them. */
  readonly decodedSequences: number;
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly generatedTokens: number;
  readonly active: number;
  readonly waiting: number;
  readonly slots: number;
}

/** A language model in memory. */
export interface LanguageModel extends AsyncDisposable {
  /** Longest sequence that it takes here, prompt and answer. */
  readonly contextLength: number;
  readonly vocabularySize: number;
  /** Most characters that one token can stand for: what cannot fit need not be tokenised. */
  readonly longestToken: number;
  /** Token that begins a sequence, when the model wants one. */
  readonly beginToken: number | null;
  /** Texts of the tokens that begin and end a sequence, for chat templates. */
  readonly beginText: string;
  readonly endText: string;
  readonly statistics: TextStatistics;
  /** @param special Whether texts of special tokens become those tokens: for templates, never for what users write. */
  tokenize(text: string, special: boolean): readonly number[];
  detokenize(tokens: readonly number[]): string;
  /** The bytes that a token stands for. */
  tokenBytes(token: number): Uint8Array;
  /**
   * Generates a text together with all others that are under way. Aborting, or ending the iteration,
   * frees its place before the next decode.
   * @throws PlatformError `queue-full` when too many wait; `prompt-invalid` when the grammar is none.
   */
  generate(generation: Generation, signal: AbortSignal): AsyncGenerator<GenerationEvent>;
  /** The vector of a text. */
  embed(tokens: readonly number[]): Promise<Float32Array>;
}

/** How a language model is loaded. */
export interface TextEngineOptions {
  readonly threads: number;
  /** Most sequences at once. */
  readonly sequencesMax: number;
  /** Longest sequence to make room for, at most the model's own. */
  readonly contextMax: number;
  /** Most bytes for the keys and values of all sequences. */
  readonly keyValueBytesMax: number;
  readonly keyValueBytesPerToken: number;
  /** Requests that may wait for a place. */
  readonly queueMax: number;
  /** Requests that one owner may have under way or waiting. */
  readonly perOwnerMax: number;
}

/** Executes language models. Not responsible for protocols, templates or what a text means. */
export interface TextEngine {
  /** @throws PlatformError `gguf-invalid` when the file is no model that this runtime can execute. */
  load(file: string, options: TextEngineOptions): Promise<LanguageModel>;
}
