import type { LlamaModel, SequenceEvaluateOptions, Token } from "node-llama-cpp";
import { PlatformError } from "../../foundation/index.ts";
import type { Generation, GenerationEvent, TokenProbability } from "../text-engine.ts";
import type { Slot } from "./slot.ts";
import { openTextStream, type TextStream } from "./text-stream.ts";

type Evaluated = IteratorResult<{ readonly token: Token; readonly probabilities?: Map<Token, number> }, unknown>;
type Evaluation = AsyncGenerator<{ token: Token; probabilities?: Map<Token, number> }, unknown, void>;

/** What a text needs of its model. */
export interface TextParts {
  readonly model: LlamaModel;
  /** Options of the engine's sampler for this generation. */
  readonly sampling: (generation: Generation, generated: readonly number[]) => SequenceEvaluateOptions;
}

/** Log probabilities under the model itself: the temperature that the sampler applied is taken off again. */
const probabilitiesOf = (
  chosen: number,
  probabilities: ReadonlyMap<number, number>,
  { alternatives, temperature }: { readonly alternatives: number; readonly temperature: number },
): TokenProbability[] => {
  const factor = temperature > 0 ? temperature : 1;
  const entries = [...probabilities].map(([token, probability]) => [token, Math.log(probability) * factor] as const);
  const largest = entries.reduce((most, [, value]) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  const total = largest + Math.log(entries.reduce((sum, [, value]) => sum + Math.exp(value - largest), 0));
  const toProbability = ([token, value]: readonly [number, number]): TokenProbability => ({
    token,
    logProbability: value - total,
  });
  const own = entries.find(([token]) => token === chosen) ?? [chosen, Number.NEGATIVE_INFINITY];
  const top = entries.toSorted((a, b) => b[1] - a[1]).slice(0, alternatives);
  return [toProbability(own), ...top.map(toProbability)];
};

/** A text on its way from prompt to end; the scheduler moves it on, turn by turn. */
export class RunningText {
  readonly generation: Generation;
  readonly #parts: TextParts;
  readonly #events: GenerationEvent[] = [];
  readonly #generated: number[] = [];
  readonly #text: TextStream;
  #slot: Slot | null = null;
  #at = 0;
  #evaluation: Evaluation | null = null;
  #failure: unknown = null;
  #over = false;
  #wake: () => void = () => {};

  constructor(generation: Generation, parts: TextParts) {
    this.generation = generation;
    this.#parts = parts;
    const detokenize = (tokens: readonly number[], before: readonly number[]): string =>
      parts.model.detokenize(tokens as Token[], false, before as Token[]);
    this.#text = openTextStream(detokenize, generation.prompt);
  }

  /** Whether nothing is left to do for it. */
  get over(): boolean {
    return this.#over;
  }
  /** Tokens of the prompt that are not evaluated yet. */
  get promptLeft(): number {
    return this.generation.prompt.length - this.#at;
  }
  get generating(): boolean {
    return this.#evaluation !== null;
  }

  /** Puts it into a slot. */
  async begin(slot: Slot): Promise<number> {
    this.#slot = slot;
    slot.busy = true;
    this.#at = await slot.take(this.generation.tenant, this.generation.prompt);
    this.#tell({ kind: "started", cachedTokens: this.#at });
    return this.#at;
  }

  /** Evaluates the next tokens of the prompt; with its last one the first token of the answer is drawn. */
  async readPrompt(count: number): Promise<void> {
    if (this.#slot === null) return;
    const { sequence } = this.#slot;
    const { prompt, alternatives } = this.generation;
    const chunk = prompt.slice(this.#at, this.#at + count) as Token[];
    this.#at += chunk.length;
    try {
      if (this.promptLeft > 0) return await sequence.evaluateWithoutGeneratingNewTokens(chunk);
      const options = this.#parts.sampling(this.generation, this.#generated);
      this.#evaluation = sequence.evaluateWithMetadata(
        chunk,
        { probabilities: alternatives !== null },
        options,
      ) as Evaluation;
    } catch (error) {
      return this.#fail(error);
    }
    await this.step();
  }

  /** Draws the next token. */
  async step(): Promise<void> {
    if (this.#evaluation === null || this.#over) return;
    try {
      this.#take(await this.#evaluation.next());
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Ends it, wherever it is, and frees its slot; called between turns only. */
  async release(turn: number): Promise<void> {
    this.#over = true;
    await this.#evaluation?.return(undefined);
    if (this.#slot === null) return;
    this.#slot.busy = false;
    this.#slot.usedAt = turn;
    this.#slot = null;
  }

  /** Nobody listens any more. */
  cancel(): void {
    this.#over = true;
    this.#wake();
  }

  /** The next event; `null` at the end. @throws What ended it early. */
  async next(): Promise<GenerationEvent | null> {
    for (;;) {
      const event = this.#events.shift();
      if (event !== undefined) return event;
      if (this.#failure !== null) throw this.#failure;
      if (this.#over) return null;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
  }

  /** @param error Why it ends: shown to who asked. */
  fail(error: PlatformError): void {
    this.#failure = error;
    this.#over = true;
    this.#wake();
  }

  #take(evaluated: Evaluated): void {
    if (evaluated.done === true) return this.#end("stop");
    const { token, probabilities } = evaluated.value;
    const { tokensMax, alternatives, sampling } = this.generation;
    this.#generated.push(token);
    this.#tell({
      kind: "token",
      token,
      text: this.#text.push(token),
      probabilities:
        alternatives === null || probabilities === undefined
          ? null
          : probabilitiesOf(token, probabilities, { alternatives, temperature: sampling.temperature }),
    });
    if (this.#generated.length >= tokensMax) this.#end("length");
  }

  #end(reason: "stop" | "length"): void {
    this.#over = true;
    this.#tell({ kind: "ended", reason, text: this.#text.end() });
  }

  #fail(error: unknown): void {
    this.fail(
      error instanceof PlatformError
        ? error
        : new PlatformError("executor-failed", "The engine could not go on with this text. Try again.", {
            cause: error,
          }),
    );
  }

  #tell(event: GenerationEvent): void {
    this.#events.push(event);
    this.#wake();
  }
}
