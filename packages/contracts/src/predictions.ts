import { z } from "zod";
import { Name, Nothing } from "./names.ts";
import { operation } from "./operation.ts";

/** One answer of a classifier or regressor. */
export const Prediction = z.object({
  /** Class with the highest probability (classifiers). */
  label: z.string().optional(),
  probability: z.number().optional(),
  /** Probability per class, in the model's order. */
  probabilities: z.record(z.string(), z.number()).optional(),
  /** Number (regressors), nested array (tensor outputs), or values by output (graphs made elsewhere). */
  value: z
    .union([z.number(), z.string(), z.boolean(), z.array(z.unknown()), z.record(z.string(), z.unknown())])
    .optional(),
});
/** One answer of a model. */
export type Prediction = z.infer<typeof Prediction>;

/** Answer of `endpoints.predict`: one prediction per input, in order. */
export const PredictResponse = z.object({
  /** Request id, echoed in the header `x-request-id`. */
  id: z.string(),
  endpoint: z.string(),
  model: z.string(),
  version: z.int(),
  predictions: z.array(Prediction),
});
/** Answer of `endpoints.predict`. */
export type PredictResponse = z.infer<typeof PredictResponse>;

/** JSON form of a friendly prediction request: one input, or many. */
export const PredictRequest = z.union([
  z.strictObject({ input: z.unknown() }),
  z.strictObject({ inputs: z.array(z.unknown()).min(1) }),
]);

const EndpointParams = z.object({ name: Name });
/** Codes that every way to predict may answer with. */
export const predictErrors = [
  "not-found",
  "endpoint-not-ready",
  "replica-failed",
  "queue-full",
  "deadline-exceeded",
  "payload-too-large",
] as const;

/** Predicts from raw inputs. */
export const predict = operation({
  id: "endpoints.predict",
  method: "POST",
  path: "/api/v1/endpoints/{name}/predict",
  scope: "predict",
  served: "gateway",
  summary: "Predict from what the signature says: an image file, a table row, or an array",
  params: EndpointParams,
  query: Nothing,
  body: {
    kind: "bytes",
    contentTypes: ["application/json", "image/png", "image/jpeg", "image/webp", "multipart/form-data"],
    schema: PredictRequest,
  },
  response: { kind: "json", status: 200, schema: PredictResponse },
  errors: [...predictErrors, "prediction-input-invalid", "image-undecodable", "unsupported-media-type"],
});
