import type { ModelStatistics } from "@modelyard/contracts";
import type { RoutedEndpoint } from "../deployments/index.ts";
import { PlatformError } from "../foundation/index.ts";
import type { Frame } from "./frame.ts";
import { ReplicaConnection, ReplicaGone, type ReplicaRequest } from "./replica-connection.ts";
import { joinStatistics } from "./serving-statistics.ts";

/** Bounds of the wait for a replica. */
export interface PoolOptions {
  /** Most requests that may wait for a replica to come back. */
  readonly waitingMax: number;
  /** Longest time from a request's arrival to its answer. */
  readonly timeoutMs: number;
}

/** How long one request may take, and how it ends before. */
export interface SendOptions {
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal;
  /** Milliseconds that the client gives the request, when it says so. */
  readonly timeoutMs: number | undefined;
  /** Longest time for this kind of request, in place of the pool's own bound. */
  readonly timeoutMaxMs?: number;
}

const attemptsMax = 4;
const statisticsWithinMs = 2000;
/** How long requests wait for the first replica of an endpoint: it may be there already, and only the news on its way. */
const startingWithinMs = 2000;

const notReady = (name: string): PlatformError =>
  new PlatformError(
    "endpoint-not-ready",
    `No replica of the endpoint "${name}" is ready. Look at it with \`modelyard endpoints show ${name}\`, then try again.`,
    { retryAfterSeconds: 1 },
  );

const timedOut = (timeoutMs: number): PlatformError =>
  new PlatformError(
    "deadline-exceeded",
    `No answer came within ${timeoutMs} ms. Try again, or send fewer rows at once.`,
    {
      retryAfterSeconds: 1,
    },
  );

/** The replicas behind one endpoint: the least busy one gets the next request. */
export class EndpointPool implements Disposable {
  readonly #options: PoolOptions;
  #endpoint: RoutedEndpoint;
  #connections: ReplicaConnection[] = [];
  #waiters: (() => void)[] = [];

  constructor(endpoint: RoutedEndpoint, options: PoolOptions) {
    this.#endpoint = endpoint;
    this.#options = options;
    this.update(endpoint);
  }

  get endpoint(): RoutedEndpoint {
    return this.#endpoint;
  }

  /** Whether a request would be answered now. */
  get ready(): boolean {
    return this.#connections.some(({ usable }) => usable);
  }

  /** Takes over new routes: connections to replicas that stay are kept, those to others drain. */
  update(endpoint: RoutedEndpoint): void {
    this.#endpoint = endpoint;
    const wanted = new Set(endpoint.replicas.map(({ id }) => id));
    const kept = this.#connections.filter(({ id }) => wanted.has(id));
    const gone = this.#connections.filter(({ id }) => !wanted.has(id));
    const fresh = endpoint.replicas
      .filter(({ id }) => !kept.some((connection) => connection.id === id))
      .map((replica) => new ReplicaConnection(replica, () => this.#wake()));
    this.#connections = [...kept, ...fresh];
    if (fresh.length === 0 || kept.some(({ usable }) => usable)) {
      for (const connection of gone) connection[Symbol.dispose]();
      return;
    }
    // The old ones serve until the first new one says hello: a roll-over leaves no gap.
    this.#retiring.push(...gone);
  }
  #retiring: ReplicaConnection[] = [];

  /**
   * Sends a request and waits for its answer; asks another replica when one ends in between.
   * @throws PlatformError `endpoint-not-ready`, `replica-failed`, `queue-full`, `deadline-exceeded`.
   */
  async send(request: ReplicaRequest, { signal, timeoutMs, timeoutMaxMs }: SendOptions): Promise<Frame> {
    const withinMs = Math.min(timeoutMs ?? Number.POSITIVE_INFINITY, timeoutMaxMs ?? this.#options.timeoutMs);
    const endMs = performance.now() + withinMs;
    for (let attempt = 1; ; attempt++) {
      const connection = this.#leastBusy() ?? (await this.#waitForOne(endMs));
      try {
        return await this.#ask(connection, request, { endMs, withinMs, signal });
      } catch (error) {
        if (!(error instanceof ReplicaGone)) throw error;
        if (error.started) {
          throw new PlatformError("replica-failed", "The replica ended in the middle of this answer. Ask again.");
        }
        if (attempt >= attemptsMax) {
          throw new PlatformError("replica-failed", "Replicas ended while they worked on this request. Try again.", {
            retryAfterSeconds: 1,
          });
        }
      }
    }
  }

  /** What the replicas that answer have counted, added up. */
  async statistics(): Promise<ModelStatistics> {
    const signal = AbortSignal.timeout(statisticsWithinMs);
    const request = { kind: "statistics" as const, head: null, body: [] };
    const limits = { endMs: performance.now() + statisticsWithinMs, withinMs: statisticsWithinMs, signal };
    const frames = await Promise.allSettled(
      this.#connections.filter(({ usable }) => usable).map((connection) => this.#ask(connection, request, limits)),
    );
    const parts = frames.flatMap((frame) =>
      frame.status === "fulfilled" ? [JSON.parse(Buffer.from(frame.value.body).toString()) as ModelStatistics] : [],
    );
    return joinStatistics(this.#endpoint, parts);
  }

  [Symbol.dispose](): void {
    for (const connection of [...this.#connections, ...this.#retiring]) connection[Symbol.dispose]();
    this.#connections = [];
    this.#retiring = [];
    this.#wake();
  }

  #leastBusy(): ReplicaConnection | undefined {
    let best: ReplicaConnection | undefined;
    for (const connection of this.#connections) {
      if (connection.usable && (best === undefined || connection.load < best.load)) best = connection;
    }
    return best ?? this.#retiring.find(({ usable }) => usable);
  }

  #ask(
    connection: ReplicaConnection,
    request: ReplicaRequest,
    { endMs, withinMs, signal }: { readonly endMs: number; readonly withinMs: number; readonly signal: AbortSignal },
  ): Promise<Frame> {
    const sent = connection.send(request);
    return new Promise<Frame>((resolve, reject) => {
      const give = (error: Error): void => {
        sent.cancel();
        reject(error);
      };
      const gone = (): void => give(new PlatformError("replica-failed", "The client went away."));
      const timer = setTimeout(() => give(timedOut(withinMs)), Math.max(endMs - performance.now(), 0));
      signal.addEventListener("abort", gone, { once: true });
      sent.answer.then(resolve, reject).finally(() => {
        clearTimeout(timer);
        signal.removeEventListener("abort", gone);
      });
    });
  }

  async #waitForOne(endMs: number): Promise<ReplicaConnection> {
    const { name, replicas, starting } = this.#endpoint;
    if (replicas.length === 0 && !starting) throw notReady(name);
    if (this.#waiters.length >= this.#options.waitingMax) {
      throw new PlatformError("queue-full", `Too many requests wait for the endpoint "${name}". Try again shortly.`, {
        retryAfterSeconds: 1,
      });
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    const untilMs = replicas.length === 0 ? Math.min(endMs, performance.now() + startingWithinMs) : endMs;
    const timer = setTimeout(resolve, Math.max(untilMs - performance.now(), 0));
    this.#waiters.push(resolve);
    await promise;
    clearTimeout(timer);
    this.#waiters = this.#waiters.filter((waiter) => waiter !== resolve);
    const connection = this.#leastBusy();
    if (connection !== undefined) return connection;
    if (performance.now() < endMs && this.#connections.length > 0) return this.#waitForOne(endMs);
    throw notReady(name);
  }

  #wake(): void {
    for (const connection of this.#retiring.splice(0)) connection[Symbol.dispose]();
    for (const waiter of this.#waiters.splice(0)) waiter();
  }
}
