export { emitRegularizer, type Regularizer, type RegularizerConfig, regularizerSchema } from "./regularizer.ts";
