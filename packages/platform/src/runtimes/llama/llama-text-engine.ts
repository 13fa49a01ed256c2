import type * as Llama from "node-llama-cpp";
import { PlatformError } from "../../foundation/index.ts";
import type {
  Generation,
  GenerationEvent,
  LanguageModel,
  TextEngine,
  TextEngineOptions,
  TextStatistics,
} from "../text-engine.ts";
import { checkFile } from "./check-file.ts";
import { SequenceScheduler } from "./sequence-scheduler.ts";
import { Slot } from "./slot.ts";
import { tokenBytesOf } from "./token-bytes.ts";

type Engine = typeof Llama;

const batchTokensMax = 512;
const cellsPerStep = 256;

const firstLine = (error: unknown): string => (error instanceof Error ? (error.message.split("\n")[0] ?? "") : "");

/** How many sequences of which length fit into the memory that keys and values may take. */
const planSlots = (
  trainedLength: number,
  options: Pick<TextEngineOptions, "sequencesMax" | "contextMax" | "keyValueBytesMax" | "keyValueBytesPerToken">,
): { readonly contextLength: number; readonly slots: number } => {
  const tokens = Math.floor(options.keyValueBytesMax / Math.max(options.keyValueBytesPerToken, 1));
  const contextLength = Math.max(1, Math.min(trainedLength, options.contextMax, tokens));
  // The engine makes room in steps.
  const room = Math.ceil(contextLength / cellsPerStep) * cellsPerStep;
  return { contextLength, slots: Math.max(1, Math.min(options.sequencesMax, Math.floor(tokens / room))) };
};

/** What sampling needs of a loaded model. */
interface SamplerParts {
  readonly engine: Engine;
  readonly llama: Llama.Llama;
  readonly model: Llama.LlamaModel;
  /** Tokens that mean something to the engine and are no text. */
  readonly controlTokens: readonly number[];
}

const unknownKind = 2;
const controlKind = 3;

const controlTokensOf = (model: Llama.LlamaModel): number[] => {
  const kinds = model.fileInfo.metadata.tokenizer?.ggml?.token_type ?? [];
  return [...kinds.keys()].filter(
    (token) =>
      (Number(kinds[token]) === controlKind || Number(kinds[token]) === unknownKind) &&
      !model.isEogToken(token as Llama.Token),
  );
};

/** The engine's sampler options of a generation. */
const samplingOf = (
  { engine, llama, model, controlTokens }: SamplerParts,
  { sampling, grammar, tokensMax }: Generation,
  generated: readonly number[],
): Llama.SequenceEvaluateOptions => {
  const { repeatPenalty, presencePenalty, frequencyPenalty, logitBias } = sampling;
  const penal = repeatPenalty !== 1 || presencePenalty !== 0 || frequencyPenalty !== 0;
  const bias = engine.TokenBias.for(model);
  for (const [token, logit] of logitBias) bias.set(token as Llama.Token, logit <= -100 ? "never" : { logit });
  // A grammar takes the names of control tokens for text, which nobody will see in the answer.
  if (grammar !== null) for (const token of controlTokens) bias.set(token as Llama.Token, "never");
  return {
    temperature: sampling.temperature,
    topK: sampling.topK,
    topP: sampling.topP,
    minP: sampling.minP,
    seed: sampling.seed,
    ...(logitBias.size > 0 || grammar !== null ? { tokenBias: bias } : {}),
    ...(penal
      ? {
          repeatPenalty: {
            punishTokens: () => [...generated] as Llama.Token[],
            maxPunishTokens: tokensMax,
            penalty: repeatPenalty,
            presencePenalty,
            frequencyPenalty,
          },
        }
      : {}),
    ...(grammar === null
      ? {}
      : {
          grammarEvaluationState: new engine.LlamaGrammarEvaluationState({
            model,
            grammar: new engine.LlamaGrammar(llama, { grammar }),
          }),
        }),
  };
};

class LlamaLanguageModel implements LanguageModel {
  readonly contextLength: number;
  readonly vocabularySize: number;
  readonly longestToken: number;
  readonly beginToken: number | null;
  readonly beginText: string;
  readonly endText: string;
  readonly #model: Llama.LlamaModel;
  readonly #context: Llama.LlamaContext;
  readonly #scheduler: SequenceScheduler;
  readonly #texts: readonly string[];
  readonly #vocabularyKind: string;
  readonly #threads: number;
  #embedding: Promise<Llama.LlamaEmbeddingContext> | null = null;

  constructor(parts: {
    readonly model: Llama.LlamaModel;
    readonly context: Llama.LlamaContext;
    readonly scheduler: SequenceScheduler;
    readonly contextLength: number;
    readonly threads: number;
  }) {
    const { model } = parts;
    this.#model = model;
    this.#context = parts.context;
    this.#scheduler = parts.scheduler;
    this.#threads = parts.threads;
    this.contextLength = parts.contextLength;
    this.#texts = model.fileInfo.metadata.tokenizer?.ggml?.tokens ?? [];
    this.#vocabularyKind = model.fileInfo.metadata.tokenizer?.ggml?.model ?? "";
    this.vocabularySize = this.#texts.length;
    this.longestToken = this.#texts.reduce((most, { length }) => Math.max(most, length), 1);
    this.beginToken = model.tokens.shouldPrependBosToken ? model.tokens.bos : null;
    this.beginText = model.tokens.bosString ?? "";
    this.endText = model.tokens.eosString ?? "";
  }

  get statistics(): TextStatistics {
    return this.#scheduler.statistics;
  }

  tokenize(text: string, special: boolean): readonly number[] {
    return this.#model.tokenize(text, special);
  }

  detokenize(tokens: readonly number[]): string {
    return this.#model.detokenize(tokens as Llama.Token[]);
  }

  tokenBytes(token: number): Uint8Array {
    return tokenBytesOf(this.#texts[token] ?? "", this.#vocabularyKind);
  }

  generate(generation: Generation, signal: AbortSignal): AsyncGenerator<GenerationEvent> {
    return this.#scheduler.generate(generation, signal);
  }

  async embed(tokens: readonly number[]): Promise<Float32Array> {
    this.#embedding ??= this.#model.createEmbeddingContext({
      contextSize: this.contextLength,
      threads: this.#threads,
      ignoreMemorySafetyChecks: true,
    });
    const context = await this.#embedding;
    const { vector } = await context.getEmbeddingFor(tokens as Llama.Token[]);
    return Float32Array.from(vector);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scheduler[Symbol.asyncDispose]();
    await (await this.#embedding)?.dispose();
    await this.#context.dispose();
    await this.#model.dispose();
  }
}

const open = async (file: string, options: TextEngineOptions): Promise<LanguageModel> => {
  const { threads } = options;
  // Loaded here and not above: only a process that serves such a model pays for the native code.
  const engine = await import("node-llama-cpp");
  const llama = await engine.getLlama({
    gpu: false,
    build: "never",
    maxThreads: threads,
    logLevel: engine.LlamaLogLevel.disabled,
  });
  const model = await llama.loadModel({ modelPath: file, checkTensors: true, ignoreMemorySafetyChecks: true });
  const { contextLength, slots } = planSlots(model.trainContextSize, options);
  const context = await model.createContext({
    sequences: slots,
    contextSize: contextLength,
    batchSize: Math.max(batchTokensMax, slots),
    threads,
    ignoreMemorySafetyChecks: true,
  });
  const controlTokens = controlTokensOf(model);
  const scheduler = new SequenceScheduler({
    slots: Array.from({ length: slots }, () => new Slot(context.getSequence())),
    batchTokens: context.batchSize,
    queueMax: options.queueMax,
    perOwnerMax: options.perOwnerMax,
    parts: {
      model,
      sampling: (generation, generated) => samplingOf({ engine, llama, model, controlTokens }, generation, generated),
    },
  });
  return new LlamaLanguageModel({ model, context, scheduler, contextLength, threads });
};

/** Executes GGUF models with llama.cpp on the CPU, from prebuilt binaries alone. A crash takes the whole process. */
export const llamaTextEngine: TextEngine = {
  load: async (file, options) => {
    await checkFile(file);
    try {
      return await open(file, options);
    } catch (cause) {
      throw new PlatformError(
        "gguf-invalid",
        `llama.cpp cannot load the model: ${firstLine(cause)}. Convert it again with a current converter.`,
        { cause },
      );
    }
  },
};
