import type { ArtefactManifest, RunEvent } from "@modelyard/contracts";
import { compile, type Executor, LearnError, type Learner, makeCallback } from "@modelyard/learn";
import { openDataset, type DatasetReader } from "../datasets/index.ts";
import { type Clock, PlatformError } from "../foundation/index.ts";
import type { BlobStore } from "../storage/blob-store.ts";
import { awaitRoom } from "./await-room.ts";
import { decodeCheckpoint } from "./checkpoint.ts";
import { evaluateModel, type JudgedRows } from "./evaluate-model.ts";
import { checkMissing, fitPreprocessing, preprocessedDefinition } from "./fit-preprocessing.ts";
import { loadSlices, loadTrainingData, type TrainingData } from "./load-training-data.ts";
import { planTraining, type TrainingPlan } from "./plan-training.ts";
import type { RunFolder, RunResult } from "./run-folder.ts";
import { RunRecorder } from "./run-recorder.ts";
import type { RunSpec } from "./run-spec.ts";
import { storeArtefact, tensorNames } from "./store-artefact.ts";

/** What a training needs. */
export interface TrainDependencies {
  readonly folder: RunFolder;
  readonly blobs: BlobStore;
  readonly executor: Executor;
  readonly clock: Clock;
  readonly environment: Pick<NonNullable<ArtefactManifest["environment"]>, "node" | "platform">;
  /** Aborts when the run is to write a checkpoint and end. */
  readonly signal: AbortSignal;
}

const canceled: RunResult = {
  outcome: "canceled",
  reason: { code: "canceled", detail: "The run was canceled. It can be resumed from its last checkpoint." },
};

/**
 * Puts the newest undamaged checkpoint into the learner; damaged ones are passed over, and the log says so.
 * @returns Its name, or `null` when the training begins anew.
 */
const restoreNewest = async (learner: Learner, folder: RunFolder, recorder: RunRecorder): Promise<string | null> => {
  const checkpoints = await folder.checkpoints();
  for (const { name, bytes } of checkpoints) {
    try {
      const state = decodeCheckpoint(bytes);
      learner.restore(state);
      const { epoch, step } = state.position;
      recorder.log("info", `Going on from the checkpoint after ${epoch} epochs and ${step} steps.`);
      return name;
    } catch (error) {
      if (!(error instanceof PlatformError) || error.code !== "checkpoint-corrupt") throw error;
      recorder.log("warning", `The checkpoint ${name} does not match its digest and is not used.`);
    }
  }
  if (checkpoints.length > 0) recorder.log("warning", "No checkpoint can be used; the training begins anew.");
  return null;
};

/** Sets what a resumption asked for, unless the training went on from there once already. */
const applyResumption = (
  learner: Learner,
  { resumption }: RunSpec,
  { restored, recorder }: { readonly restored: string | null; readonly recorder: RunRecorder },
): void => {
  if (resumption === undefined || restored === null || restored > resumption.checkpoint) return;
  learner.optimizer.learningRate = resumption.learningRate;
  recorder.log("info", `The learning rate is ${resumption.learningRate} from here on.`);
};

/** A checkpoint after which the loss is no number at once is none to go on from; the one before it is. */
const dropBadCheckpoint = async (folder: RunFolder, recorder: RunRecorder): Promise<void> => {
  if (recorder.stepsSinceCheckpoint > 0 || !(await folder.hasCheckpoint())) return;
  await folder.dropNewestCheckpoint();
  recorder.log("warning", "The newest checkpoint led to no number at once and was given up; an older one may be left.");
};

/** The part that the model is judged on: test rows, or validation rows where there are none. */
const heldOut = async (
  reader: DatasetReader,
  plan: TrainingPlan,
  validation: TrainingData,
): Promise<JudgedRows | null> => {
  const test = await loadTrainingData(reader, plan, "test");
  const [split, data] = test.rows > 0 ? (["test", test] as const) : (["validation", validation] as const);
  checkMissing(plan, split, data);
  return data.rows === 0 ? null : { split, data, slices: await loadSlices(reader, plan, split) };
};

const train = async (dependencies: TrainDependencies, recorder: RunRecorder): Promise<RunResult> => {
  const { folder, blobs, executor, signal } = dependencies;
  const spec = await folder.readSpec();
  const { request } = spec;
  const reader = await openDataset(blobs, spec.dataset.digest);
  const { columns, split, target } = reader.manifest;
  const [name = "", version = "1"] = spec.dataset.reference.split("@");
  const schema = { dataset: name, version: Number(version), columns: columns.map(({ column }) => column), target };
  const plan = planTraining(request, schema);
  const [data, validation] = [
    await loadTrainingData(reader, plan, "train"),
    await loadTrainingData(reader, plan, "validation"),
  ];
  const fitted = fitPreprocessing(plan, { train: data, validation });
  const definition = preprocessedDefinition(plan, fitted);
  await using learner = await compile(definition, { ...plan.compile, executor });
  const restored = await restoreNewest(learner, folder, recorder);
  applyResumption(learner, spec, { restored, recorder });
  recorder.record({
    type: "started",
    summary: learner.summary(),
    parameters: learner.parameterCount,
    trainRows: split.train,
    validationRows: split.validation,
    testRows: split.test,
    stepsPerEpoch: Math.ceil(data.rows / request.batchSize),
    epochs: request.epochs,
  });
  const history = await learner.fit(data.x, data.y, {
    epochs: request.epochs,
    batchSize: request.batchSize,
    signal,
    ...(validation.rows > 0 ? { validationData: validation } : {}),
    callbacks: [...(request.callbacks ?? []).map(makeCallback), recorder.callback(request)],
  });
  if (signal.aborted) {
    await recorder.checkpoint(history.state);
    return canceled;
  }
  if (history.stopped !== null) recorder.log("info", `The training stopped early: ${history.stopped}.`);
  const judged = await heldOut(reader, plan, validation);
  const graph = learner.exportOnnx(tensorNames);
  const evaluation = judged === null ? null : await evaluateModel({ learner, graph, executor }, plan, judged);
  if (evaluation !== null) recorder.record({ type: "evaluation", evaluation });
  const shapes = learner.shapes;
  const artefact = { spec, plan, fitted, split, graph, shapes, evaluation };
  const trained = await awaitRoom(() => storeArtefact(dependencies, artefact), signal);
  await recorder.settled();
  return { outcome: "succeeded", trained };
};

/** Epochs that earlier attempts have recorded. */
const countEpochs = (events: readonly RunEvent[]): number =>
  events.reduce((most, event) => (event.type === "epoch" ? Math.max(most, event.epoch) : most), 0);

/** Names that tell a user nothing stay in the log; what is said is the code and its text. */
const reasonOf = (error: unknown): { readonly code: string; readonly detail: string } | null =>
  error instanceof LearnError || error instanceof PlatformError ? { code: error.code, detail: error.message } : null;

/**
 * Trains one run from its folder and leaves the result there; the last checkpoint stays whatever happens.
 * @throws What is no coded failure: the process then ends as crashed and its log holds the cause.
 */
export const trainRun = async (dependencies: TrainDependencies): Promise<RunResult> => {
  const { folder, clock, signal } = dependencies;
  const recorder = new RunRecorder({ folder, clock, epochsRecorded: countEpochs(await folder.eventsAfter(0)), signal });
  recorder.record({ type: "state", state: "running", reason: null });
  let result: RunResult;
  try {
    result = await train(dependencies, recorder);
  } catch (error) {
    const reason = reasonOf(error);
    if (reason === null) throw error;
    recorder.log("error", reason.detail);
    if (reason.code === "loss-not-finite") await dropBadCheckpoint(folder, recorder);
    result = { outcome: "failed", reason };
  }
  await recorder.settled();
  await awaitRoom(() => folder.writeResult(result), signal);
  return result;
};
