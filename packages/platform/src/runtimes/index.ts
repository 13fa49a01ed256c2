export type { LoadedModel, Runtime, RuntimeOptions } from "./runtime.ts";
export { concatenate, elementsOf, splitRows, type Tensor, type TensorElements, zeros } from "./tensor.ts";
