import type { LlamaContextSequence, Token } from "node-llama-cpp";

/** A sequence of the context: keys and values of one text, and whose text it is. */
export class Slot {
  readonly sequence: LlamaContextSequence;
  /** Who filled it last; only they may build on what is in it. */
  #tenant: string | null = null;
  /** Turn in which it was used last. */
  usedAt = 0;
  busy = false;

  constructor(sequence: LlamaContextSequence) {
    this.sequence = sequence;
  }

  /** How many tokens of a prompt are in here already and may be used by this tenant. */
  knownPrefix(tenant: string, prompt: readonly number[]): number {
    if (this.#tenant !== tenant) return 0;
    const known = this.sequence.contextTokens;
    // The last token is always evaluated again: its logits are what the first new token is drawn from.
    const most = Math.min(known.length, prompt.length - 1);
    let same = 0;
    while (same < most && known[same] === prompt[same]) same++;
    return same;
  }

  /** Makes the slot hold exactly the known beginning of a prompt; what others left is forgotten first. */
  async take(tenant: string, prompt: readonly number[]): Promise<number> {
    const known = this.knownPrefix(tenant, prompt);
    this.#tenant = tenant;
    if (known === 0) await this.sequence.clearHistory();
    else await this.sequence.adaptStateToTokens(prompt.slice(0, known) as Token[], false);
    // Models with a sliding window may have had to drop more than was asked.
    return Math.min(known, this.sequence.nextTokenIndex);
  }
}

/** The free slot that knows most of a prompt; else the one that lay idle longest, so that useful prefixes stay. */
export const chooseSlot = (
  slots: readonly Slot[],
  { tenant, prompt }: { readonly tenant: string; readonly prompt: readonly number[] },
): Slot | null => {
  let best: Slot | null = null;
  let bestKnown = 0;
  for (const slot of slots) {
    if (slot.busy) continue;
    const known = slot.knownPrefix(tenant, prompt);
    if (best === null || known > bestKnown || (known === bestKnown && slot.usedAt < best.usedAt)) {
      best = slot;
      bestKnown = known;
    }
  }
  return best;
};
