import { openTestFamily } from "../../../../tests/kit/test-family.ts";
import { createLocalReplicaEngine } from "../supervision/local-replica-engine.ts";
import { replicaEngineConformance } from "./replica-engine.conformance.ts";

replicaEngineConformance("child processes", async () => {
  const family = openTestFamily();
  return {
    engine: createLocalReplicaEngine(family, { sockets: "/tmp" }),
    kill: (replicaId) => family.signal(replicaId, "kill"),
    [Symbol.asyncDispose]: () => family[Symbol.asyncDispose](),
  };
});
