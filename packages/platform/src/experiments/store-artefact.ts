import type { ArtefactManifest, Evaluation, Lineage, TensorSpec } from "@modelyard/contracts";
import type { Executor, FittedValueStep, Learner } from "@modelyard/learn";
import { canonicalJson } from "../foundation/index.ts";
import type { BlobStore } from "../storage/blob-store.ts";
import type { TrainingPlan } from "./plan-training.ts";
import type { RunSpec } from "./run-spec.ts";
import type { TrainedModel } from "./trained-model.ts";

/** What storing needs. */
export interface StoreArtefactDependencies {
  readonly blobs: BlobStore;
  readonly executor: Executor;
  readonly environment: Pick<ArtefactManifest["environment"], "node" | "platform">;
}

/** What a training made. */
export interface ArtefactParts {
  readonly spec: RunSpec;
  readonly plan: TrainingPlan;
  readonly fitted: readonly FittedValueStep[];
  readonly split: Lineage["split"];
  /** The graph that is served. */
  readonly graph: Uint8Array;
  readonly shapes: Learner["shapes"];
  readonly evaluation: Evaluation | null;
}

/** Operator set of the graphs that the learning engine writes. */
const opset = 18;

/** Names of the served graph's tensors. */
export const tensorNames = { inputName: "x", outputName: "prediction" } as const;

const batchOf = (name: string, shape: readonly number[]): TensorSpec => ({
  name,
  datatype: "FP32",
  shape: [-1, ...shape],
});

const lineageOf = ({ spec, plan, split: { train, validation, test } }: ArtefactParts): Lineage => {
  const { request } = spec;
  return {
    run: spec.runId,
    dataset: spec.dataset.reference,
    datasetDigest: spec.dataset.digest,
    target: plan.target.name,
    features: plan.features.map(({ name }) => name),
    split: { train, validation, test },
    seed: request.seed,
    optimizer: request.optimizer,
    ...(spec.resumption === undefined ? {} : { resumedLearningRate: spec.resumption.learningRate }),
    loss: plan.compile.loss,
    epochs: request.epochs,
    batchSize: request.batchSize,
    codeVersion: spec.codeVersion,
  };
};

/** Stores the artefact's files and its manifest as blobs. */
export const storeArtefact = async (
  { blobs, executor, environment }: StoreArtefactDependencies,
  parts: ArtefactParts,
): Promise<TrainedModel> => {
  const { plan, fitted, shapes, evaluation } = parts;
  const graph = await blobs.put(parts.graph);
  const manifest: ArtefactManifest = {
    format: 1,
    definition: plan.definition as unknown as ArtefactManifest["definition"],
    signature: {
      input: plan.input,
      output: plan.output,
      tensors: {
        inputs: [batchOf(tensorNames.inputName, shapes.input)],
        outputs: [batchOf(tensorNames.outputName, shapes.output)],
      },
    },
    preprocessing: [...plan.imageSteps, ...fitted] as ArtefactManifest["preprocessing"],
    labels: plan.labels === null ? null : [...plan.labels],
    graph: { digest: graph.digest, bytes: graph.bytes },
    weights: null,
    evaluation,
    lineage: lineageOf(parts),
    environment: { ...environment, onnxruntime: executor.engine, opset },
  };
  const stored = await blobs.put(new TextEncoder().encode(canonicalJson(manifest)));
  return { digest: stored.digest, manifest, bytes: graph.bytes + stored.bytes };
};
