export { type OptimizerConfig, optimizerNames, parseOptimizer } from "./config.ts";
export { type ParameterPlace, TrainingMemory } from "./memory.ts";
export { createOptimizer, type Optimizer, type OptimizerState, slotsOf } from "./optimizer.ts";
export { learningRateAt, type Schedule } from "./schedules.ts";
