export type { Callback, Logs, TrainingControl } from "./callback.ts";
export { makeCallback } from "./config.ts";
export { earlyStopping } from "./early-stopping.ts";
export { learningRateScheduler } from "./learning-rate-scheduler.ts";
export { csvLogger, progress } from "./loggers.ts";
export { modelCheckpoint } from "./model-checkpoint.ts";
export { reduceLrOnPlateau } from "./reduce-lr-on-plateau.ts";
export { terminateOnNan } from "./terminate-on-nan.ts";
