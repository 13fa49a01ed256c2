export { LearnError, type LearnErrorCode } from "./errors.ts";
export {
  describeLanguageModel,
  fromLlama2c,
  type GgufHeader,
  ggufHeaderBytesMax,
  type GgufToWrite,
  type LanguageModelFacts,
  type Llama2cModel,
  type LlamaShape,
  type RandomLlama,
  randomLlama,
  readGgufHeader,
  writeGguf,
} from "./formats/gguf/index.ts";
export { type IdxElement, type IdxHeader, idxHeaderBytesMax, parseIdxHeader } from "./formats/idx.ts";
export { type NpyElement, type NpyHeader, npyHeaderBytes, npyHeaderBytesMax, parseNpyHeader } from "./formats/npy.ts";
export { createRandom, type Random, type RandomState } from "./random.ts";
export { findLeaks, findLeaksSteps, type Leaks } from "./selection/leaks.ts";
export {
  groupSplit,
  groupSplitSteps,
  randomSplit,
  randomSplitSteps,
  type SplitShares,
  stratifiedSplit,
  stratifiedSplitSteps,
} from "./selection/split.ts";
export type { Stepwise } from "./selection/steps.ts";
export { withPreprocessing } from "./preprocessing/compose-definition.ts";
export { featureTransform, type FeatureTransform } from "./preprocessing/feature-transform.ts";
export { fitSteps, type RawSamples } from "./preprocessing/fit-steps.ts";
export { applyImageSteps, type ImageSize, sizeAfter } from "./preprocessing/image-steps.ts";
export {
  type Augmentation,
  type BatchAugmentation,
  mixUp,
  randomBrightness,
  randomContrast,
  randomCrop,
  randomFlip,
  randomRotation,
  randomTranslation,
  randomZoom,
  specAugment,
} from "./preprocessing/augment/index.ts";
export { type Pixels, resizePixels } from "./preprocessing/resize-pixels.ts";
export {
  type LaneManners,
  mannersOf,
  outputNames,
  type ResolvedStep,
  resolveSteps,
} from "./preprocessing/resolve-steps.ts";
export {
  type FittedStep,
  type FittedValueStep,
  type ImageStep,
  type ImputeStrategy,
  isImageStep,
  type Lane,
  type PreprocessingStep,
  type UnknownCategory,
  type ValueStep,
} from "./preprocessing/step.ts";
export { dense, embedding, masking, normalization, rescaling } from "./definition/builders.ts";
export { activation, elu, leakyRelu, prelu, relu, softmax } from "./definition/builders/activations.ts";
export {
  additiveAttention,
  attention,
  multiHeadAttention,
  positionEmbedding,
  sinePositionEncoding,
} from "./definition/builders/attention.ts";
export {
  averagePooling1d,
  averagePooling2d,
  averagePooling3d,
  conv1d,
  conv1dTranspose,
  conv2d,
  conv2dTranspose,
  conv3d,
  conv3dTranspose,
  depthwiseConv1d,
  depthwiseConv2d,
  globalAveragePooling1d,
  globalAveragePooling2d,
  globalAveragePooling3d,
  globalMaxPooling1d,
  globalMaxPooling2d,
  globalMaxPooling3d,
  maxPooling1d,
  maxPooling2d,
  maxPooling3d,
  separableConv1d,
  separableConv2d,
} from "./definition/builders/convolution.ts";
export { add, average, concatenate, dot, maximum, minimum, multiply, subtract } from "./definition/builders/merging.ts";
export {
  batchNormalization,
  groupNormalization,
  layerNormalization,
  rmsNormalization,
  unitNormalization,
} from "./definition/builders/normalization.ts";
export { bidirectional, gru, lstm, simpleRnn, timeDistributed } from "./definition/builders/recurrent.ts";
export {
  alphaDropout,
  dropout,
  gaussianDropout,
  gaussianNoise,
  spatialDropout1d,
  spatialDropout2d,
  spatialDropout3d,
} from "./definition/builders/regularization.ts";
export {
  cropping1d,
  cropping2d,
  cropping3d,
  flatten,
  identity,
  permute,
  repeatVector,
  reshape,
  upSampling1d,
  upSampling2d,
  upSampling3d,
  zeroPadding1d,
  zeroPadding2d,
  zeroPadding3d,
} from "./definition/builders/shaping.ts";
export {
  furtherOutput,
  input,
  model,
  type ModelDefinition,
  outputOf,
  sequential,
  subModel,
} from "./definition/definition.ts";
export { parseDefinition } from "./definition/parse.ts";
export { resolveDefinition, type ResolvedModel } from "./definition/resolve.ts";
export { type Loss, type LossConfig, lossNames, parseLoss, type Reduction } from "./losses/index.ts";
export { type InspectedModel, type InspectedPort, inspectModel } from "./onnx/inspect.ts";
export type { Hdf5Array, Hdf5File, OpenHdf5 } from "./keras/hdf5.ts";
export { importKeras, type KerasImportOptions, type KerasModel } from "./keras/import.ts";
export { importOnnx, type OnnxImportOptions, type OnnxModel } from "./onnx-import/import-onnx.ts";
export { type DecodedModel, decodeModel, type DecodeOptions } from "./onnx/decode.ts";
export type { Graph } from "./onnx/graph.ts";
export {
  createOptimizer,
  type Optimizer,
  type OptimizerConfig,
  optimizerNames,
  parseOptimizer,
  type Schedule,
  learningRateAt,
} from "./optimizers/index.ts";
export {
  type Callback,
  csvLogger,
  earlyStopping,
  learningRateScheduler,
  makeCallback,
  modelCheckpoint,
  progress,
  reduceLrOnPlateau,
  terminateOnNan,
} from "./training/callbacks/index.ts";
export { findLearningRate, type RangeTest, type RangeTestOptions } from "./training/find-learning-rate.ts";
export { augmentedSource, type AugmentedSourceOptions } from "./training/augmented-source.ts";
export { type BatchArrays, type BatchRequest, type BatchSource } from "./training/batch-source.ts";
export type { DataArray } from "./training/data.ts";
export type { Arrays, LabelledData } from "./training/samples.ts";
export type { ObjectiveOptions, PerOutput } from "./training/objective.ts";
export { type Metric, type MetricConfig, metricNames, parseMetrics } from "./training/metrics/index.ts";
export type { Executor, Session, TensorData } from "./training/executor.ts";
export type { FitOptions, History } from "./training/fit.ts";
export { compile, type CompileOptions, Learner } from "./training/learner.ts";
export type { InputGradient, InputGradientOptions } from "./training/input-gradients.ts";
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
