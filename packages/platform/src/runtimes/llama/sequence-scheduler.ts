import type { Generation, GenerationEvent, TextStatistics } from "../text-engine.ts";
import { PlatformError } from "../../foundation/index.ts";
import { Pace } from "./pace.ts";
import { RunningText, type TextParts } from "./running-text.ts";
import { chooseSlot, type Slot } from "./slot.ts";
import { WaitingRoom, type WaitingRoomOptions } from "./waiting-room.ts";

/** What the scheduler works with. */
export interface SchedulerOptions extends WaitingRoomOptions {
  readonly slots: readonly Slot[];
  /** Most tokens of one decode. */
  readonly batchTokens: number;
  readonly parts: TextParts;
}

/**
 * Moves all texts on together. Every turn is one decode that holds each text under way: those that generate with one
 * token, those that still read their prompt with a share of what the turn may take. The next turn begins when all have
 * their token, so that none misses it.
 */
export class SequenceScheduler implements AsyncDisposable {
  readonly #options: SchedulerOptions;
  readonly #room: WaitingRoom<RunningText>;
  readonly #active = new Set<RunningText>();
  readonly #pace = new Pace();
  readonly #counts = { decodes: 0, decodedSequences: 0, promptTokens: 0, cachedTokens: 0, generatedTokens: 0 };
  #running: Promise<void> | null = null;
  #closed = false;

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#room = new WaitingRoom(options);
  }

  get statistics(): TextStatistics {
    const { slots } = this.#options;
    return { ...this.#counts, active: this.#active.size, waiting: this.#room.size, slots: slots.length };
  }

  /** Generates one text among the others; see the port. */
  async *generate(generation: Generation, signal: AbortSignal): AsyncGenerator<GenerationEvent> {
    const text = new RunningText(generation, this.#options.parts);
    const cancel = (): void => text.cancel();
    this.#room.enter(text);
    signal.addEventListener("abort", cancel, { once: true });
    if (signal.aborted) cancel();
    this.#wake();
    try {
      for (let event = await text.next(); event !== null; event = await text.next()) {
        yield event;
        if (event.kind === "ended") return;
      }
    } finally {
      signal.removeEventListener("abort", cancel);
      text.cancel();
      this.#room.leave(text);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#running;
    const gone = new PlatformError("replica-failed", "The model is being unloaded. Try again.");
    for (const text of this.#active) {
      text.fail(gone);
      await text.release(this.#counts.decodes);
    }
    for (let text = this.#room.next([]); text !== undefined; text = this.#room.next([])) text.fail(gone);
  }

  #wake(): void {
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
      if (this.#room.size > 0 && !this.#closed) this.#wake();
    });
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      await this.#changePlaces();
      if (this.#active.size === 0) return;
      await this.#turn();
      // Sockets are served before the next turn.
      await new Promise((done) => setImmediate(done));
    }
  }

  /** Those that are done go, those that wait come. */
  async #changePlaces(): Promise<void> {
    for (const text of this.#active) {
      if (!text.over) continue;
      this.#active.delete(text);
      await text.release(this.#counts.decodes);
    }
    while (this.#active.size < this.#options.slots.length) {
      const text = this.#room.next(this.#active);
      if (text === undefined) return;
      if (text.over) continue;
      const slot = chooseSlot(this.#options.slots, text.generation);
      if (slot === null) return;
      const cached = await text.begin(slot);
      this.#counts.cachedTokens += cached;
      this.#counts.promptTokens += text.generation.prompt.length;
      this.#active.add(text);
    }
  }

  async #turn(): Promise<void> {
    const texts = [...this.#active];
    const generating = texts.filter((text) => text.generating);
    const reading = texts.filter((text) => !text.generating);
    let room = this.#pace.promptTokens(this.#options.batchTokens - generating.length, generating.length);
    const share = Math.max(1, Math.floor(room / Math.max(reading.length, 1)));
    const startMs = performance.now();
    const work = generating.map((text) => text.step());
    let promptTokens = 0;
    for (const text of reading) {
      const count = Math.min(share, room, text.promptLeft);
      if (count === 0) break;
      room -= count;
      promptTokens += count;
      work.push(text.readPrompt(count));
    }
    await Promise.all(work);
    this.#pace.observe(performance.now() - startMs, { generating: generating.length, promptTokens });
    this.#counts.decodes++;
    this.#counts.decodedSequences += work.length;
    this.#counts.generatedTokens += texts.filter((text) => text.generating).length;
  }
}
