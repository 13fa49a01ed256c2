import type { Logger } from "../foundation/index.ts";
import type { AuditStore, Denial } from "./audit-store.ts";

const flushEveryMs = 1000;
/** Kinds of refusal that are told apart between two writes; a flood of more kinds is counted together. */
const kindsMax = 500;

/**
 * Brings refused requests into the audit log. Equal ones within a second become one record with a count, so that a
 * flood of wrong keys fills neither the disk nor the queue of writes.
 */
export class AuditDenials implements AsyncDisposable {
  readonly #store: AuditStore;
  readonly #logger: Logger;
  readonly #timer: NodeJS.Timeout;
  #waiting = new Map<string, { readonly workspaceId: string; readonly denial: Denial; count: number }>();
  #writing: Promise<void> = Promise.resolve();

  constructor(store: AuditStore, logger: Logger) {
    this.#store = store;
    this.#logger = logger;
    this.#timer = setInterval(() => void this.flush(), flushEveryMs).unref();
  }

  /** Notes a refusal. @param workspaceId Workspace of the key; the installation's own when no key was known. */
  add(workspaceId: string, denial: Denial): void {
    const kind = JSON.stringify([workspaceId, denial.operation, denial.actor?.key, denial.reason]);
    const known = this.#waiting.get(kind);
    if (known !== undefined) known.count += denial.count;
    else if (this.#waiting.size < kindsMax) this.#waiting.set(kind, { workspaceId, denial, count: denial.count });
    else this.#addToOthers(workspaceId, denial.count);
  }

  #addToOthers(workspaceId: string, count: number): void {
    const known = this.#waiting.get(workspaceId);
    if (known !== undefined) known.count += count;
    else {
      const denial: Denial = { operation: "other", actor: null, requestId: null, reason: "flood", count };
      this.#waiting.set(workspaceId, { workspaceId, denial, count });
    }
  }

  /** Writes what waits; settles when it is written. */
  flush(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = new Map();
    this.#writing = this.#writing.then(async () => {
      for (const { workspaceId, denial, count } of waiting.values()) {
        await this.#store
          .addDenial(workspaceId, { ...denial, count })
          .catch((error: unknown) => this.#logger.error({ error }, "a refusal could not be added to the audit log"));
      }
    });
    return this.#writing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.flush();
  }
}
