import { canonicalJson, type Clock, digestOf, failpoint, type Logger, newIdentifier } from "../foundation/index.ts";
import { type ModelStore, resolveReference, type StoredModelVersion } from "../models/index.ts";
import type { KeyVerifier } from "../workspaces/index.ts";
import { type EndpointView, isFailing, liveVersion, type ReplicaView, type StoredEndpoint } from "./endpoint.ts";
import type { EndpointStore } from "./endpoint-store.ts";
import type { ReplicaEngine } from "./replica-engine.ts";
import type { RoutedEndpoint, RoutedLanguage, RoutingSnapshot } from "./routing-snapshot.ts";

/** What the reconciler needs. */
export interface ReconcileDependencies {
  readonly endpoints: EndpointStore;
  readonly models: ModelStore;
  readonly engine: ReplicaEngine;
  /** Keys that the gateway must know. */
  readonly keys: () => Promise<readonly KeyVerifier[]>;
  readonly clock: Clock;
  readonly logger: Logger;
}

const turnEveryMs = 1000;

const toRoutedLanguage = (version: StoredModelVersion | null): RoutedLanguage | null => {
  const language = version?.artefact.languageModel;
  if (version === null || language === undefined) return null;
  return { contextLength: language.contextLength, createdAtMs: version.createdAtMs };
};

/**
 * Brings what runs to what should run, turn after turn: replicas of the wanted version are started beside the old
 * ones, take the traffic when all are ready, and only then do the old ones drain. Tells the gateway of every change.
 */
export class EndpointReconciler implements AsyncDisposable {
  readonly endpoints: EndpointStore;
  readonly #dependencies: ReconcileDependencies;
  readonly #timer: NodeJS.Timeout;
  readonly #stopListening: () => void;
  /** Version that has the traffic, by endpoint; found again from what is ready after a restart. */
  readonly #live = new Map<string, number>();
  readonly #listeners = new Set<() => void>();
  #snapshot: RoutingSnapshot | null = null;
  #turn: Promise<void> | null = null;
  #again = false;
  #closed = false;

  constructor(dependencies: ReconcileDependencies) {
    this.#dependencies = dependencies;
    this.endpoints = dependencies.endpoints;
    this.#stopListening = dependencies.engine.onChange(() => this.wake());
    this.#timer = setInterval(() => this.wake(), turnEveryMs);
  }

  /** Has a turn made soon; turns never overlap. */
  wake(): void {
    if (this.#closed) return;
    this.#again = true;
    this.#turn ??= this.#work().finally(() => {
      this.#turn = null;
      if (this.#again) this.wake();
    });
  }

  /** Every snapshot from now on, the present one first; a slow reader gets the newest only. */
  async *snapshots(signal: AbortSignal): AsyncGenerator<RoutingSnapshot> {
    let sent: RoutingSnapshot | null = null;
    while (!signal.aborted && !this.#closed) {
      if (this.#snapshot !== null && this.#snapshot !== sent) {
        sent = this.#snapshot;
        yield sent;
        continue;
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#listeners.add(resolve);
      signal.addEventListener("abort", () => resolve(), { once: true });
      await promise;
      this.#listeners.delete(resolve);
    }
  }

  /** An endpoint with its replicas as they are now. */
  async view(endpoint: StoredEndpoint): Promise<EndpointView> {
    const [replicas, observed] = [await this.endpoints.allReplicas(), await this.#dependencies.engine.observe()];
    const byId = new Map(observed.map((replica) => [replica.id, replica]));
    const own = replicas
      .filter(({ endpointId }) => endpointId === endpoint.id)
      .map((stored): ReplicaView => ({ stored, observed: byId.get(stored.id) ?? null }));
    const wanted = await this.#wanted(endpoint);
    const desiredVersion = wanted?.version ?? 0;
    const current = this.#live.get(endpoint.id) ?? null;
    const live = endpoint.loaded
      ? liveVersion(own, { version: desiredVersion, replicas: endpoint.replicas, current })
      : null;
    return { endpoint, replicas: own, desiredVersion, live };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#stopListening();
    for (const wake of this.#listeners) wake();
    await this.#turn;
  }

  async #work(): Promise<void> {
    this.#again = false;
    try {
      for (const endpoint of await this.endpoints.allEndpoints()) await this.#reconcile(endpoint);
      await this.#applyReplicas();
      await this.#publish();
    } catch (error) {
      this.#dependencies.logger.error({ error }, "reconciling the endpoints failed; the next turn tries again");
    }
  }

  async #wanted(endpoint: StoredEndpoint): Promise<StoredModelVersion | null> {
    try {
      return await resolveReference(this.#dependencies.models, endpoint.workspaceId, endpoint.model);
    } catch (error) {
      this.#dependencies.logger.warn({ endpoint: endpoint.name, error }, "an endpoint's model cannot be found");
      return null;
    }
  }

  async #reconcile(endpoint: StoredEndpoint): Promise<void> {
    const wanted = await this.#wanted(endpoint);
    if (wanted === null) return;
    const { replicas, live } = await this.view(endpoint);
    if (!endpoint.loaded) {
      this.#live.delete(endpoint.id);
      for (const { stored } of replicas) await this.endpoints.removeReplica(stored.workspaceId, stored.id);
      return;
    }
    const ofWanted = replicas.filter(({ stored }) => stored.version === wanted.version);
    for (let missing = endpoint.replicas - ofWanted.length; missing > 0; missing--) {
      const createdAtMs = this.#dependencies.clock.nowMs();
      await this.endpoints.addReplica({
        id: newIdentifier("rep", createdAtMs),
        workspaceId: endpoint.workspaceId,
        endpointId: endpoint.id,
        model: wanted.model,
        version: wanted.version,
        digest: wanted.digest,
        createdAtMs,
      });
      failpoint("endpoint.replica-added");
    }
    if (live !== null) this.#live.set(endpoint.id, live);
    // Versions that are neither wanted nor live have nothing left to do; the live one goes when it is relieved.
    const spare = replicas.filter(({ stored }) => stored.version !== wanted.version && stored.version !== live);
    const surplus = ofWanted.slice(endpoint.replicas);
    for (const { stored } of [...spare, ...surplus]) await this.endpoints.removeReplica(stored.workspaceId, stored.id);
  }

  async #applyReplicas(): Promise<void> {
    const { engine, logger } = this.#dependencies;
    const endpoints = new Map((await this.endpoints.allEndpoints()).map((endpoint) => [endpoint.id, endpoint]));
    const replicas = await this.endpoints.allReplicas();
    const specs = replicas.map(({ id, endpointId, model, version, digest }) => ({
      id,
      endpoint: endpoints.get(endpointId)?.name ?? "",
      model,
      version,
      digest,
    }));
    // Routes first: when the old replicas hear that they must drain, the gateway knows the new ones.
    await this.#publish();
    await engine.apply(specs);
    logger.debug({ replicas: specs.length }, "replicas applied");
  }

  async #routed(endpoint: StoredEndpoint): Promise<RoutedEndpoint> {
    const { replicas, live } = await this.view(endpoint);
    const serving = replicas.filter(({ stored }) => stored.version === live);
    const [model = ""] = endpoint.model.split("@");
    const version =
      live === null ? null : await this.#dependencies.models.findVersion(endpoint.workspaceId, model, live);
    const { inputs = [], outputs = [] } = version?.artefact.signature?.tensors ?? {};
    const { aliases = [] } = (await this.#dependencies.models.findModel(endpoint.workspaceId, model)) ?? {};
    return {
      workspaceId: endpoint.workspaceId,
      name: endpoint.name,
      model,
      version: live,
      starting: live === null && replicas.some((replica) => !isFailing(replica)),
      labels: Object.fromEntries(aliases.map(({ alias, version }) => [alias, version])),
      inputs: [...inputs],
      outputs: [...outputs],
      language: toRoutedLanguage(version),
      replicas: serving.map(({ stored }) => ({
        id: stored.id,
        address: this.#dependencies.engine.address(stored.id),
      })),
    };
  }

  async #publish(): Promise<void> {
    const endpoints: RoutedEndpoint[] = [];
    for (const endpoint of await this.endpoints.allEndpoints()) endpoints.push(await this.#routed(endpoint));
    const content = {
      keys: (await this.#dependencies.keys()).map((key) => ({ ...key, scopes: [...key.scopes] })),
      endpoints,
    };
    const version = digestOf(canonicalJson(content));
    if (version === this.#snapshot?.version) return;
    this.#snapshot = { version, ...content };
    for (const wake of [...this.#listeners]) wake();
  }
}
