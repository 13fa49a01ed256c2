export type { LoadedModel } from "./runtime.ts";
export { elementsOf, type Tensor, type TensorElements, zeros } from "./tensor.ts";
