import { onnxRuntime } from "./onnx-runtime.ts";
import { runtimeConformance } from "./runtime.conformance.ts";

runtimeConformance("onnxruntime-node", onnxRuntime);
