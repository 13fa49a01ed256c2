import type { Endpoint, Replica } from "@modelyard/contracts";
import { timestamp } from "../foundation/index.ts";
import type { ObservedReplica } from "./replica-engine.ts";

/** A stable name and what should stand behind it, as it is stored. */
export interface StoredEndpoint {
  readonly id: string;
  readonly workspaceId: string;
  readonly name: string;
  /** `model@alias` or `model@version`. */
  readonly model: string;
  readonly replicas: number;
  /** Whether it should be served; an endpoint that is not loaded keeps its name and has no replicas. */
  readonly loaded: boolean;
  readonly createdAtMs: number;
}

/** A serving process that should run, as it is stored. */
export interface StoredReplica {
  readonly id: string;
  readonly workspaceId: string;
  readonly endpointId: string;
  readonly model: string;
  readonly version: number;
  /** Digest of the artefact's manifest. */
  readonly digest: string;
  readonly createdAtMs: number;
}

/** A replica with what is seen of it; `null` when no process is known yet. */
export interface ReplicaView {
  readonly stored: StoredReplica;
  readonly observed: ObservedReplica | null;
}

/** Starts after which a version that never became ready counts as failed. */
const failedAfterRestarts = 3;

/** Whether a replica answers now. */
const isReady = ({ observed }: ReplicaView): boolean => observed?.state === "ready";

/** Whether a replica keeps failing. */
export const isFailing = ({ observed }: ReplicaView): boolean =>
  observed !== null && observed.state !== "ready" && observed.restarts >= failedAfterRestarts;

/**
 * The version that takes the traffic: the wanted one as soon as all its replicas are ready, until then the one that
 * has it now, and if that has none left, any that is ready.
 */
export const liveVersion = (
  replicas: readonly ReplicaView[],
  wanted: { readonly version: number; readonly replicas: number; readonly current: number | null },
): number | null => {
  const ready = replicas.filter(isReady);
  const readyOf = (version: number | null): number => ready.filter(({ stored }) => stored.version === version).length;
  if (readyOf(wanted.version) >= wanted.replicas) return wanted.version;
  if (wanted.current !== null && readyOf(wanted.current) > 0) return wanted.current;
  const other = ready.at(0)?.stored.version;
  if (other !== undefined) return other;
  // Its replicas are being replaced; requests wait for them instead of being refused.
  return replicas.some(({ stored }) => stored.version === wanted.current) ? wanted.current : null;
};

const toReplica = (view: ReplicaView): Replica => ({
  id: view.stored.id,
  version: view.stored.version,
  state: isFailing(view) ? "failed" : (view.observed?.state ?? "starting"),
  restarts: view.observed?.restarts ?? 0,
  reason: isReady(view) ? null : (view.observed?.reason ?? null),
  startedAt: view.observed === null || view.observed.startedAtMs === null ? null : timestamp(view.observed.startedAtMs),
});

/** What an endpoint should be and is. */
export interface EndpointView {
  readonly endpoint: StoredEndpoint;
  readonly replicas: readonly ReplicaView[];
  readonly desiredVersion: number;
  readonly live: number | null;
}

/** The state of an endpoint as a whole. */
export const stateOf = ({ endpoint, replicas, desiredVersion, live }: EndpointView): Endpoint["state"] => {
  if (!endpoint.loaded) return "unloaded";
  const wanted = replicas.filter(({ stored }) => stored.version === desiredVersion);
  if (live === desiredVersion && wanted.filter(isReady).length >= endpoint.replicas) return "ready";
  const failing = wanted.some(isFailing);
  if (failing) return live === null ? "failed" : "degraded";
  return live === desiredVersion ? "degraded" : "deploying";
};

/** An endpoint as clients see it. */
export const toEndpoint = (view: EndpointView): Endpoint => ({
  name: view.endpoint.name,
  model: view.endpoint.model,
  state: stateOf(view),
  version: view.live,
  desiredVersion: view.desiredVersion,
  desiredReplicas: view.endpoint.replicas,
  replicas: view.replicas.map(toReplica),
  createdAt: timestamp(view.endpoint.createdAtMs),
  paths: {
    predict: `/api/v1/endpoints/${view.endpoint.name}/predict`,
    infer: `/v2/models/${view.endpoint.name}/infer`,
  },
});
