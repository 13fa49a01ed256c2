import { llamaTextEngine } from "./llama/llama-text-engine.ts";
import { textEngineConformance } from "./text-engine.conformance.ts";

textEngineConformance("node-llama-cpp", llamaTextEngine);
