import { openTestFamily } from "../../../../tests/kit/test-family.ts";
import { createLocalRunEngine } from "../supervision/local-run-engine.ts";
import { runEngineConformance } from "./run-engine.conformance.ts";

runEngineConformance("child processes", async (behaviour) => {
  const family = openTestFamily({ MEMBER_MODE: behaviour === "works" ? "serve" : "finish" });
  return {
    engine: createLocalRunEngine(family),
    exitCode: 3,
    [Symbol.asyncDispose]: () => family[Symbol.asyncDispose](),
  };
});
