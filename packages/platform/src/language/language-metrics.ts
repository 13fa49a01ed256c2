import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { Clock } from "../foundation/index.ts";
import type { LanguageAnswerHead } from "./answer-language.ts";
import type { TokenUsage } from "./language-wire.ts";

/** One request that is being measured. */
export interface MeasuredRequest {
  /** A part of the answer went to the client. */
  part(): void;
  tokens(usage: TokenUsage): void;
  end(status: number): void;
}

/** What the gateway measures of requests to language models. */
export interface LanguageMetrics {
  start(labels: { readonly endpoint: string; readonly api: string; readonly key: string }): MeasuredRequest;
  /** Takes over what an engine says of itself. */
  engine(endpoint: string, told: LanguageAnswerHead["engine"]): void;
}

const secondsBuckets = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120];
const enginesMax = 1000;
const labelNames = ["gen_ai_request_model", "gen_ai_operation_name"] as const;

/** Decodes and texts of engines; each engine counts from its own start. */
const engineMetrics = (registry: Registry): LanguageMetrics["engine"] => {
  const registers = [registry];
  const labels = ["gen_ai_request_model"] as const;
  const counter = (name: string, help: string): Counter<"gen_ai_request_model"> =>
    new Counter({ name, help, labelNames: labels, registers });
  const gauge = (name: string, help: string): Gauge<"gen_ai_request_model"> =>
    new Gauge({ name, help, labelNames: labels, registers });
  const decodes = counter("modelyard_language_decodes_total", "Decodes made");
  const sequences = counter(
    "modelyard_language_decoded_sequences_total",
    "Texts in all decodes: divided by the decodes, how many share one",
  );
  const active = gauge("modelyard_language_texts_active", "Texts being generated, as of the last answer");
  const waiting = gauge("modelyard_language_texts_waiting", "Texts that wait for a place, as of the last answer");
  const last = new Map<string, { readonly decodes: number; readonly decodedSequences: number }>();
  return (endpoint, told) => {
    const id = `${endpoint} ${told.id}`;
    const before = last.get(id) ?? { decodes: 0, decodedSequences: 0 };
    if (last.size >= enginesMax) last.clear();
    last.set(id, told);
    const of = { gen_ai_request_model: endpoint };
    decodes.inc(of, Math.max(0, told.decodes - before.decodes));
    sequences.inc(of, Math.max(0, told.decodedSequences - before.decodedSequences));
    active.set(of, told.active);
    waiting.set(of, told.waiting);
  };
};

/** Makes the metrics, named after OpenTelemetry's semantic conventions for generative AI. */
export const createLanguageMetrics = (registry: Registry, clock: Clock): LanguageMetrics => {
  const histogram = (name: string, help: string): Histogram<(typeof labelNames)[number]> =>
    new Histogram({ name, help, labelNames, buckets: secondsBuckets, registers: [registry] });
  const firstToken = histogram("gen_ai_server_time_to_first_token_seconds", "From the request to its first part");
  const perToken = histogram("gen_ai_server_time_per_output_token_seconds", "Between tokens after the first");
  const duration = histogram("gen_ai_server_request_duration_seconds", "From the request to the end of its answer");
  const requests = new Counter({
    name: "modelyard_language_requests_total",
    help: "Requests to language models, by endpoint, kind and HTTP status",
    labelNames: [...labelNames, "status"],
    registers: [registry],
  });
  const tokens = new Counter({
    name: "gen_ai_client_token_usage_total",
    help: "Tokens by endpoint, API key and type: input, output, cached (the part of input that was known already)",
    labelNames: ["gen_ai_request_model", "gen_ai_token_type", "key"],
    registers: [registry],
  });
  return {
    engine: engineMetrics(registry),
    start: ({ endpoint, api, key }) => {
      const labels = { gen_ai_request_model: endpoint, gen_ai_operation_name: api };
      const startMs = clock.monotonicMs();
      let firstMs: number | null = null;
      let output = 0;
      return {
        part: () => {
          firstMs ??= clock.monotonicMs();
        },
        tokens: ({ promptTokens, completionTokens, cachedTokens }) => {
          output = completionTokens;
          const count = (type: string, value: number): void =>
            tokens.inc({ gen_ai_request_model: endpoint, gen_ai_token_type: type, key }, value);
          count("input", promptTokens);
          count("output", completionTokens);
          count("cached", cachedTokens);
        },
        end: (status) => {
          const endMs = clock.monotonicMs();
          requests.inc({ ...labels, status });
          duration.observe(labels, (endMs - startMs) / 1000);
          if (firstMs === null) return;
          firstToken.observe(labels, (firstMs - startMs) / 1000);
          if (output > 1) perToken.observe(labels, (endMs - firstMs) / 1000 / (output - 1));
        },
      };
    },
  };
};
