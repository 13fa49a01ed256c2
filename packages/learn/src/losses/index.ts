export { type Loss, type LossConfig, lossNames, parseLoss } from "./config.ts";
export { emitLoss, emitOneHot, type LossInput } from "./emit.ts";
