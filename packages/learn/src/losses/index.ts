export {
  isMeanOfSamples,
  type Loss,
  type LossConfig,
  lossNames,
  parseLoss,
  type Reduction,
  takesClasses,
} from "./config.ts";
export { emitOneHot } from "./crossentropy.ts";
export { emitLoss, emitReducedLoss } from "./emit.ts";
