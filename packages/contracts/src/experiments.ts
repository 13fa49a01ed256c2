import { z } from "zod";
import { ModelDefinition } from "./definition.ts";
import { Evaluation } from "./evaluation.ts";
import { DatasetReference, identifier, Name, Nothing, pageOf, PageQuery, Timestamp } from "./names.ts";
import { operation } from "./operation.ts";
import { PreprocessingStep } from "./preprocessing.ts";

/** States of a run. `queued`, `running` and `canceling` are live, the others final (a run may be resumed from all final ones but `succeeded`). */
export const RunState = z.enum(["queued", "running", "canceling", "succeeded", "failed", "canceled"]);
/** State of a run. */
export type RunState = z.infer<typeof RunState>;

/** A configuration by name, or by name with arguments, as in Keras. */
const Named = z.union([z.string().min(1).max(64), z.looseObject({ name: z.string().min(1).max(64) })]);

/** Metric values by name, e.g. `{ loss: 0.41, accuracy: 0.86 }`. */
export const MetricValues = z.record(z.string(), z.number());

/** Request of `runs.start`: everything that defines the training. */
export const StartRun = z.strictObject({
  experiment: Name,
  dataset: DatasetReference,
  /** A sequential network without an Input gets one that fits the data. */
  definition: ModelDefinition,
  /** Column to predict; default: the dataset's target. */
  target: z.string().max(200).optional(),
  /** Columns to learn from; default: all but the target. */
  features: z.array(z.string().max(200)).max(10_000).optional(),
  /** Steps between the raw data and the network; without them the network takes the raw values. */
  preprocessing: z.array(PreprocessingStep).max(100).optional(),
  optimizer: Named.default("adam"),
  /** Default: sparse categorical cross-entropy for a category target, mean squared error for numbers. */
  loss: Named.optional(),
  /** Default: accuracy for a category target, mean absolute error for numbers. */
  metrics: z.array(z.string().max(64)).max(20).optional(),
  epochs: z.int().min(1).max(100_000).default(1),
  batchSize: z.int().min(1).max(65_536).default(32),
  seed: z.int().min(0).max(4_294_967_295).default(1),
  callbacks: z
    .array(z.looseObject({ name: z.string().min(1).max(64) }))
    .max(20)
    .optional(),
  /** Steps between checkpoints; the end of an epoch always writes one. */
  checkpointEverySteps: z.int().min(1).optional(),
  /** Category columns by whose values the evaluation is also given. */
  slices: z.array(z.string().max(200)).max(10).optional(),
  /** Model to register the result under; default: the experiment's name. */
  model: Name.optional(),
});
/** Everything that defines a training. */
export type StartRun = z.infer<typeof StartRun>;

/** One attempt at a question. */
export const Run = z.object({
  id: identifier("run"),
  experiment: Name,
  state: RunState,
  /** Why the run failed or was canceled, in one sentence. */
  reason: z.object({ code: z.string(), detail: z.string() }).nullable(),
  request: StartRun,
  createdAt: Timestamp,
  startedAt: Timestamp.nullable(),
  endedAt: Timestamp.nullable(),
  /** Times the training process was started. */
  attempts: z.int(),
  progress: z.object({ epoch: z.int(), epochs: z.int(), step: z.int(), stepsPerEpoch: z.int() }).nullable(),
  /** Newest value of each metric. */
  metrics: MetricValues,
  evaluation: Evaluation.nullable(),
  /** What the run registered. */
  registered: z.object({ model: Name, version: z.int() }).nullable(),
});
/** One attempt at a question. */
export type Run = z.infer<typeof Run>;

const eventFields = { sequence: z.int(), time: Timestamp };

/** What happens in a run, in order. */
export const RunEvent = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("state"),
    ...eventFields,
    state: RunState,
    reason: z.object({ code: z.string(), detail: z.string() }).nullable(),
  }),
  /** Model summary and sizes, once per attempt. */
  z.object({
    type: z.literal("started"),
    ...eventFields,
    summary: z.string(),
    parameters: z.int(),
    trainRows: z.int(),
    validationRows: z.int(),
    testRows: z.int(),
    stepsPerEpoch: z.int(),
    epochs: z.int(),
  }),
  z.object({
    type: z.literal("step"),
    ...eventFields,
    epoch: z.int(),
    step: z.int(),
    stepsPerEpoch: z.int(),
    /** Running means over the epoch, as Keras shows them. */
    metrics: MetricValues,
    samplesPerSecond: z.number(),
  }),
  z.object({
    type: z.literal("epoch"),
    ...eventFields,
    epoch: z.int(),
    epochs: z.int(),
    /** Includes `val_` metrics when there is validation data. */
    metrics: MetricValues,
    learningRate: z.number(),
    durationMs: z.number(),
  }),
  z.object({ type: z.literal("checkpoint"), ...eventFields, epoch: z.int(), step: z.int(), digest: z.string() }),
  z.object({
    type: z.literal("log"),
    ...eventFields,
    level: z.enum(["info", "warning", "error"]),
    message: z.string(),
  }),
  z.object({ type: z.literal("evaluation"), ...eventFields, evaluation: Evaluation }),
  z.object({ type: z.literal("registered"), ...eventFields, model: Name, version: z.int() }),
]);
/** What happens in a run, in order. */
export type RunEvent = z.infer<typeof RunEvent>;

/** A question and its attempts. */
export const Experiment = z.object({
  name: Name,
  createdAt: Timestamp,
  runs: z.int(),
  lastRun: Run.nullable(),
});

const RunParams = z.object({ id: identifier("run") });

/** Starts a run. */
export const startRun = operation({
  id: "runs.start",
  method: "POST",
  path: "/api/v1/runs",
  scope: "runs:write",
  served: "control-plane",
  summary: "Queue a training run",
  params: Nothing,
  query: Nothing,
  body: { kind: "json", schema: StartRun },
  response: { kind: "json", status: 201, schema: Run },
  errors: [
    "not-found",
    "column-unknown",
    "preprocessing-invalid",
    "definition-invalid",
    "layer-unknown",
    "layer-invalid",
    "shape-mismatch",
    "loss-invalid",
    "optimizer-invalid",
    "metric-invalid",
  ],
  once: true,
});

/** Lists runs. */
export const listRuns = operation({
  id: "runs.list",
  method: "GET",
  path: "/api/v1/runs",
  scope: "runs:read",
  served: "control-plane",
  summary: "List runs, newest first",
  params: Nothing,
  query: PageQuery.extend({ experiment: Name.optional(), state: RunState.optional() }),
  body: { kind: "none" },
  response: { kind: "json", status: 200, schema: pageOf(Run) },
  errors: [],
});

/** Shows a run. */
export const showRun = operation({
  id: "runs.show",
  method: "GET",
  path: "/api/v1/runs/{id}",
  scope: "runs:read",
  served: "control-plane",
  summary: "Show a run",
  params: RunParams,
  query: Nothing,
  body: { kind: "none" },
  response: { kind: "json", status: 200, schema: Run },
  errors: ["not-found"],
});

/** Streams a run's events. */
export const watchRun = operation({
  id: "runs.watch",
  method: "GET",
  path: "/api/v1/runs/{id}/events",
  scope: "runs:read",
  served: "control-plane",
  summary: "Stream a run's events until it ends; `after` or Last-Event-ID resumes",
  params: RunParams,
  query: z.object({ after: z.coerce.number().int().min(0).default(0) }),
  body: { kind: "none" },
  response: { kind: "events", status: 200, schema: RunEvent },
  errors: ["not-found"],
});

/** Shows a run's log. */
export const logsOfRun = operation({
  id: "runs.logs",
  method: "GET",
  path: "/api/v1/runs/{id}/logs",
  scope: "runs:read",
  served: "control-plane",
  summary: "Show the log lines of a run",
  params: RunParams,
  query: Nothing,
  body: { kind: "none" },
  response: {
    kind: "json",
    status: 200,
    schema: z.object({
      items: z.array(z.object({ time: Timestamp, level: z.enum(["info", "warning", "error"]), message: z.string() })),
    }),
  },
  errors: ["not-found"],
});

/** Cancels a run. */
export const cancelRun = operation({
  id: "runs.cancel",
  method: "POST",
  path: "/api/v1/runs/{id}/cancel",
  scope: "runs:write",
  served: "control-plane",
  summary: "Cancel a run: it writes a checkpoint and ends, or is ended after a grace period",
  params: RunParams,
  query: Nothing,
  body: { kind: "none" },
  response: { kind: "json", status: 202, schema: Run },
  errors: ["not-found", "run-state-conflict"],
});

/** Resumes a run. */
export const resumeRun = operation({
  id: "runs.resume",
  method: "POST",
  path: "/api/v1/runs/{id}/resume",
  scope: "runs:write",
  served: "control-plane",
  summary: "Resume a canceled or failed run from its last checkpoint, with another learning rate if given",
  params: RunParams,
  query: z.object({
    /** Replaces the learning rate, or its schedule, from the checkpoint on. */
    learningRate: z.coerce.number().positive().optional(),
  }),
  body: { kind: "none" },
  response: { kind: "json", status: 202, schema: Run },
  errors: ["not-found", "run-state-conflict", "run-not-resumable"],
});

/** Lists experiments. */
export const listExperiments = operation({
  id: "experiments.list",
  method: "GET",
  path: "/api/v1/experiments",
  scope: "runs:read",
  served: "control-plane",
  summary: "List experiments with their newest runs",
  params: Nothing,
  query: PageQuery,
  body: { kind: "none" },
  response: { kind: "json", status: 200, schema: pageOf(Experiment) },
  errors: [],
});
