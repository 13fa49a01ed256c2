import { collectDefaultMetrics, Counter, Histogram, Registry } from "prom-client";

/** What the gateway counts. */
export interface GatewayMetrics {
  /** Where other protocols of the gateway add theirs. */
  readonly registry: Registry;
  /** Notes an answered prediction. */
  observe(endpoint: string, status: number, seconds: number): void;
  /** Everything in Prometheus' text format. */
  render(): Promise<string>;
}

/** Makes the gateway's metrics in a registry of their own. */
export const createGatewayMetrics = (): GatewayMetrics => {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: "modelyard_gateway_" });
  const requests = new Counter({
    name: "modelyard_predictions_total",
    help: "Predictions answered, by endpoint and HTTP status",
    labelNames: ["endpoint", "status"],
    registers: [registry],
  });
  const duration = new Histogram({
    name: "modelyard_prediction_duration_seconds",
    help: "Time from a prediction's arrival to its answer",
    labelNames: ["endpoint"],
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [registry],
  });
  return {
    registry,
    observe: (endpoint, status, seconds) => {
      requests.inc({ endpoint, status });
      duration.observe({ endpoint }, seconds);
    },
    render: () => registry.metrics(),
  };
};
