import type { RoutingSnapshot } from "../deployments/index.ts";
import type { Clock, Principal } from "../foundation/index.ts";
import { bearerKey, type KeyVerifier, unauthenticated, verifyKey } from "../workspaces/index.ts";
import { EndpointPool, type PoolOptions } from "./endpoint-pool.ts";

interface KnownKey {
  readonly principal: Principal;
  readonly expiresAtMs: number;
}

const knownKeysMax = 10_000;

/** The gateway's memory: who may ask, and where endpoints are. Replaced as a whole by every snapshot. */
export class RoutingTable implements Disposable {
  readonly #options: PoolOptions & { readonly clock: Clock; readonly pepper: () => Uint8Array };
  readonly #pools = new Map<string, EndpointPool>();
  #verifiers = new Map<string, KeyVerifier>();
  /** Keys that were proved since the last snapshot, by the whole header: the hash is computed once. */
  readonly #known = new Map<string, KnownKey>();
  #version: string | null = null;

  constructor(options: PoolOptions & { readonly clock: Clock; readonly pepper: () => Uint8Array }) {
    this.#options = options;
  }

  /** Version of the snapshot in use; `null` before the first. */
  get version(): string | null {
    return this.#version;
  }

  /** Takes over a snapshot. */
  apply(snapshot: RoutingSnapshot): void {
    this.#version = snapshot.version;
    this.#verifiers = new Map(snapshot.keys.map((verifier) => [verifier.prefix, verifier]));
    this.#known.clear();
    const wanted = new Set<string>();
    for (const endpoint of snapshot.endpoints) {
      const key = `${endpoint.workspaceId}/${endpoint.name}`;
      wanted.add(key);
      const pool = this.#pools.get(key);
      if (pool === undefined) this.#pools.set(key, new EndpointPool(endpoint, this.#options));
      else pool.update(endpoint);
    }
    for (const [key, pool] of this.#pools) {
      if (wanted.has(key)) continue;
      this.#pools.delete(key);
      pool[Symbol.dispose]();
    }
  }

  /** @throws PlatformError `unauthenticated`. */
  authenticate(authorization: string | undefined): Principal {
    const nowMs = this.#options.clock.nowMs();
    const known = authorization === undefined ? undefined : this.#known.get(authorization);
    if (known !== undefined && nowMs < known.expiresAtMs) return known.principal;
    const key = bearerKey(authorization);
    const verifier = key === null ? undefined : this.#verifiers.get(key.prefix);
    const principal = key === null ? null : verifyKey(key, verifier, { pepper: this.#options.pepper(), nowMs });
    if (principal === null || authorization === undefined) throw unauthenticated();
    if (this.#known.size >= knownKeysMax) this.#known.clear();
    this.#known.set(authorization, { principal, expiresAtMs: verifier?.expiresAtMs ?? Number.POSITIVE_INFINITY });
    return principal;
  }

  /** The endpoint of that name in the workspace of the key. */
  find(workspaceId: string, name: string): EndpointPool | undefined {
    return this.#pools.get(`${workspaceId}/${name}`);
  }

  /** All endpoints of a workspace. */
  poolsOf(workspaceId: string): EndpointPool[] {
    return [...this.#pools.values()].filter(({ endpoint }) => endpoint.workspaceId === workspaceId);
  }

  [Symbol.dispose](): void {
    for (const pool of this.#pools.values()) pool[Symbol.dispose]();
    this.#pools.clear();
  }
}
