export {
  isMeanOfSamples,
  type Loss,
  type LossConfig,
  lossNames,
  parseLoss,
  type Reduction,
  takesClasses,
  targetShapeOf,
} from "./config.ts";
export { emitOneHot } from "./crossentropy.ts";
export { emitLoss, emitReducedLoss } from "./emit.ts";
