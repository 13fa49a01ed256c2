export { LearnError, type LearnErrorCode } from "./errors.ts";
export { type IdxElement, type IdxHeader, idxHeaderBytesMax, parseIdxHeader } from "./formats/idx.ts";
export { type NpyElement, type NpyHeader, npyHeaderBytes, npyHeaderBytesMax, parseNpyHeader } from "./formats/npy.ts";
export { createRandom, type Random, type RandomState } from "./random.ts";
export { findLeaks, type Leaks } from "./selection/leaks.ts";
export { groupSplit, randomSplit, type SplitShares, stratifiedSplit } from "./selection/split.ts";
export { type Pixels, resizePixels } from "./preprocessing/resize-pixels.ts";
export {
  activation,
  add,
  averagePooling2d,
  batchNormalization,
  concatenate,
  conv2d,
  dense,
  dropout,
  flatten,
  globalAveragePooling2d,
  maxPooling2d,
  normalization,
  rescaling,
  reshape,
} from "./definition/builders.ts";
export { input, model, type ModelDefinition, sequential } from "./definition/definition.ts";
export { parseDefinition, resolveDefinition, type ResolvedModel } from "./definition/resolve.ts";
export { type Loss, type LossConfig, lossNames, parseLoss, type Reduction } from "./losses/index.ts";
export { type DecodedModel, decodeModel, type DecodeOptions } from "./onnx/decode.ts";
export type { Graph } from "./onnx/graph.ts";
export {
  createOptimizer,
  type Optimizer,
  type OptimizerConfig,
  parseOptimizer,
  type Schedule,
  learningRateAt,
} from "./optimizers/index.ts";
export {
  type Callback,
  csvLogger,
  earlyStopping,
  modelCheckpoint,
  progress,
  reduceLrOnPlateau,
} from "./training/callbacks.ts";
export type { DataArray } from "./training/data.ts";
export type { Arrays, LabelledData } from "./training/samples.ts";
export type { ObjectiveOptions, PerOutput } from "./training/objective.ts";
export { type Metric, type MetricConfig, metricNames, parseMetrics } from "./training/metrics/index.ts";
export type { Executor, Session, TensorData } from "./training/executor.ts";
export type { FitOptions, History } from "./training/fit.ts";
export { compile, type CompileOptions, Learner } from "./training/learner.ts";
export type { LearnerState } from "./training/state.ts";
export {
  type ClassFigures,
  classificationReport,
  type ClassificationInput,
  type ClassificationReport,
  confusionMatrix,
  type PrecisionRecall,
} from "./metrics/classification.ts";
export {
  brierScore,
  calibrationError,
  classProbabilities,
  logLoss,
  type ProbabilityInput,
} from "./metrics/probabilities.ts";
export {
  averagePrecision,
  type MulticlassRankingInput,
  type MulticlassRocAuc,
  multiclassRocAuc,
  type PrecisionRecallCurve,
  precisionRecallCurve,
  type RankingInput,
  rocAuc,
  type RocCurve,
  rocCurve,
  thinned,
} from "./metrics/ranking.ts";
export { regressionReport, type RegressionInput, type RegressionReport } from "./metrics/regression.ts";
