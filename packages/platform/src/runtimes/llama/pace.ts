const memory = 0.2;
const leastChunk = 8;

/**
 * How much of long prompts may ride along with those that already generate: a decode with prompt tokens should take at
 * most twice as long as one without, so that a long prompt does not freeze the others.
 */
export class Pace {
  #decodeMs: number | null = null;
  #promptMsPerToken: number | null = null;

  /** Prompt tokens for the next decode. */
  promptTokens(room: number, generating: number): number {
    if (generating === 0 || this.#decodeMs === null || this.#promptMsPerToken === null) return room;
    const affordable = Math.floor(this.#decodeMs / Math.max(this.#promptMsPerToken, 1e-6));
    return Math.min(room, Math.max(affordable, leastChunk));
  }

  /** Learns from a decode that was made. */
  observe(
    ms: number,
    { generating, promptTokens }: { readonly generating: number; readonly promptTokens: number },
  ): void {
    const blend = (old: number | null, now: number): number => (old === null ? now : old + memory * (now - old));
    if (promptTokens === 0) this.#decodeMs = blend(this.#decodeMs, ms);
    else {
      const own = Math.max(ms - (generating === 0 ? 0 : (this.#decodeMs ?? 0)), 0);
      this.#promptMsPerToken = blend(this.#promptMsPerToken, own / promptTokens);
    }
  }
}
