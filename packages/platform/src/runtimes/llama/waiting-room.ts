import { PlatformError } from "../../foundation/index.ts";
import type { Generation } from "../text-engine.ts";

/** Bounds of the queue. */
export interface WaitingRoomOptions {
  readonly queueMax: number;
  readonly perOwnerMax: number;
}

interface Seat {
  readonly generation: Generation;
}

const full = (detail: string): PlatformError => new PlatformError("queue-full", detail, { retryAfterSeconds: 1 });

/** Who waits for a place: bounded, fair between owners, low priority last. */
export class WaitingRoom<T extends Seat> {
  readonly #options: WaitingRoomOptions;
  readonly #present = new Map<string, number>();
  #waiting: T[] = [];

  constructor(options: WaitingRoomOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#waiting.length;
  }

  /** @throws PlatformError `queue-full`. */
  enter(seat: T): void {
    const { owner } = seat.generation;
    const present = this.#present.get(owner) ?? 0;
    if (present >= this.#options.perOwnerMax) {
      throw full(`This key has ${present} texts under way, as many as it may. Wait for one to end, then try again.`);
    }
    if (this.#waiting.length >= this.#options.queueMax) {
      throw full("As many requests wait for the model as may. Try again shortly, or run more replicas.");
    }
    this.#present.set(owner, present + 1);
    this.#waiting.push(seat);
  }

  /** Takes out one that waits no more, or whose text is done. */
  leave(seat: T): void {
    const { owner } = seat.generation;
    const left = (this.#present.get(owner) ?? 1) - 1;
    if (left > 0) this.#present.set(owner, left);
    else this.#present.delete(owner);
    this.#waiting = this.#waiting.filter((other) => other !== seat);
  }

  /** Who is next: normal before low priority, then the owner with the fewest under way, then who came first. */
  next(active: Iterable<T>): T | undefined {
    const busy = new Map<string, number>();
    for (const { generation } of active) busy.set(generation.owner, (busy.get(generation.owner) ?? 0) + 1);
    const rank = ({ generation }: T): number =>
      (generation.priority === "low" ? 1_000_000 : 0) + (busy.get(generation.owner) ?? 0);
    let best: T | undefined;
    for (const seat of this.#waiting) if (best === undefined || rank(seat) < rank(best)) best = seat;
    this.#waiting = this.#waiting.filter((seat) => seat !== best);
    return best;
  }
}
