export { type LossConfig, lossNames, parseLoss } from "./config.ts";
export { emitLoss, type LossInput, targetTypeOf } from "./emit-loss.ts";
export { emitMetric, type MetricName, metricNames, parseMetric } from "./emit-metric.ts";
