import {
  importDataset,
  listDatasets,
  listDatasetVersions,
  profileDataset,
  sampleDataset,
  showDataset,
} from "./datasets.ts";
import { createEndpoint, deleteEndpoint, listEndpoints, showEndpoint } from "./deployments.ts";
import {
  cancelRun,
  listExperiments,
  listRuns,
  logsOfRun,
  resumeRun,
  showRun,
  startRun,
  watchRun,
} from "./experiments.ts";
import {
  aliasHistory,
  compareModelVersions,
  exportModelVersion,
  listModels,
  listModelVersions,
  registerModel,
  setAlias,
  showModel,
  showModelVersion,
} from "./models.ts";
import type { Operation } from "./operation.ts";
import { repositoryIndex, repositoryLoad, repositoryUnload } from "./model-repository.ts";
import {
  allStatistics,
  infer,
  inferVersion,
  modelConfig,
  modelMetadata,
  modelOpenApi,
  modelReady,
  modelStatistics,
  serverLive,
  serverMetadata,
  serverReady,
  versionConfig,
  versionMetadata,
  versionReady,
  versionStatistics,
} from "./open-inference.ts";
import { predict } from "./predictions.ts";
import { healthz, metrics, openApi, readyz, whoami } from "./system.ts";
import {
  tensorFlowMetadata,
  tensorFlowPredict,
  tensorFlowPredictLabel,
  tensorFlowPredictVersion,
  tensorFlowStatus,
} from "./tensorflow-serving.ts";
import { createKey, listKeys, revokeKey } from "./workspaces.ts";

/** The one table of operations, by id. Nothing that a client can call exists outside it. */
export const operations = {
  "keys.create": createKey,
  "keys.list": listKeys,
  "keys.revoke": revokeKey,
  "datasets.import": importDataset,
  "datasets.list": listDatasets,
  "datasets.versions": listDatasetVersions,
  "datasets.show": showDataset,
  "datasets.profile": profileDataset,
  "datasets.samples": sampleDataset,
  "experiments.list": listExperiments,
  "runs.start": startRun,
  "runs.list": listRuns,
  "runs.show": showRun,
  "runs.watch": watchRun,
  "runs.logs": logsOfRun,
  "runs.cancel": cancelRun,
  "runs.resume": resumeRun,
  "models.list": listModels,
  "models.show": showModel,
  "models.versions": listModelVersions,
  "models.register": registerModel,
  "models.version": showModelVersion,
  "models.compare": compareModelVersions,
  "models.alias": setAlias,
  "models.alias-history": aliasHistory,
  "models.export": exportModelVersion,
  "endpoints.create": createEndpoint,
  "endpoints.list": listEndpoints,
  "endpoints.show": showEndpoint,
  "endpoints.delete": deleteEndpoint,
  "endpoints.predict": predict,
  "v2.server": serverMetadata,
  "v2.live": serverLive,
  "v2.ready": serverReady,
  "v2.stats": allStatistics,
  "v2.model": modelMetadata,
  "v2.model-ready": modelReady,
  "v2.model-config": modelConfig,
  "v2.model-stats": modelStatistics,
  "v2.model-openapi": modelOpenApi,
  "v2.infer": infer,
  "v2.version": versionMetadata,
  "v2.version-ready": versionReady,
  "v2.version-config": versionConfig,
  "v2.version-stats": versionStatistics,
  "v2.version-infer": inferVersion,
  "v2.repository-index": repositoryIndex,
  "v2.repository-load": repositoryLoad,
  "v2.repository-unload": repositoryUnload,
  "tensorflow.predict": tensorFlowPredict,
  "tensorflow.version-predict": tensorFlowPredictVersion,
  "tensorflow.label-predict": tensorFlowPredictLabel,
  "tensorflow.status": tensorFlowStatus,
  "tensorflow.metadata": tensorFlowMetadata,
  "system.healthz": healthz,
  "system.readyz": readyz,
  "system.metrics": metrics,
  "system.whoami": whoami,
  "system.openapi": openApi,
} as const satisfies Record<string, Operation>;

/** Id of an operation. */
export type OperationId = keyof typeof operations;
/** The table's type. */
export type Operations = typeof operations;
/** Every operation, in the table's order. */
export const allOperations: readonly Operation[] = Object.values(operations);
