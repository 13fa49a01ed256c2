export { emitRegularizer, type Regularizer, regularizerSchema } from "./regularizer.ts";
