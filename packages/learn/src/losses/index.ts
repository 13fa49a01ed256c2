export { type Loss, type LossConfig, parseLoss } from "./config.ts";
export { emitLoss } from "./emit.ts";
