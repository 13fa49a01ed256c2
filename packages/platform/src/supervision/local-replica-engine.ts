import { join } from "node:path";
import type { ObservedReplica, ReplicaEngine } from "../deployments/index.ts";
import type { ObservedProcess, ProcessFamily } from "./process-family.ts";

const group = "replicas";
/** Requests under way must be answered within this after a replica was asked to end. */
const graceMs = 30_000;

const reasonOf = ({ exit }: ObservedProcess): string | null => {
  if (exit === null) return null;
  return (
    exit.lastError?.replace(/^error\[[\w-]+\]: /, "") ??
    (exit.signal === null ? `ended with exit code ${exit.code ?? "none"}` : `ended by ${exit.signal}`)
  );
};

const observed = (process: ObservedProcess): ObservedReplica => ({
  id: process.name,
  state: process.state === "ready" ? "ready" : process.state === "stopping" ? "draining" : "starting",
  restarts: process.restarts,
  startedAtMs: process.startedAtMs,
  reason: reasonOf(process),
});

/** Where a replica listens: its Unix socket. */
export const replicaAddress = (sockets: string, replicaId: string): string => join(sockets, `${replicaId}.sock`);

/** Runs replicas as child processes of the supervisor. */
export const createLocalReplicaEngine = (
  family: ProcessFamily,
  directory: { readonly sockets: string },
): ReplicaEngine => ({
  apply: (replicas) =>
    family.apply(
      group,
      replicas.map((spec) => ({
        name: spec.id,
        entry: "replica" as const,
        environment: { MODELYARD_REPLICA: JSON.stringify(spec) },
        restart: "always" as const,
        graceMs,
      })),
    ),
  observe: async () => (await family.observe(group)).map(observed),
  onChange: (listener) =>
    family.onChange((process) => {
      if (process.group === group) listener();
    }),
  address: (replicaId) => replicaAddress(directory.sockets, replicaId),
});
