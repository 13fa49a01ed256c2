export type { LoadedModel } from "./runtime.ts";
export {
  bytesOf,
  bytesPerElement,
  elementsIn,
  elementsOf,
  isTexts,
  type NumericDatatype,
  type Tensor,
  type TensorElements,
  zeros,
} from "./tensor.ts";
export type { Generation, LanguageModel, Sampling, TextStatistics, TokenProbability } from "./text-engine.ts";
