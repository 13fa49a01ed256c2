export { type OptimizerConfig, optimizerNames, parseOptimizer } from "./config.ts";
export {
  type BufferSpec,
  type MemoryLayout,
  type ParameterPlace,
  type ParameterSpec,
  TrainingMemory,
} from "./memory.ts";
export { createOptimizer, type Optimizer, type OptimizerState, slotsOf } from "./optimizer.ts";
export { learningRateAt, type Schedule } from "./schedules.ts";
