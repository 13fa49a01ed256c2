export {
  ArtefactFile,
  ArtefactManifest,
  Lineage,
  Signature,
  SignatureInput,
  SignatureOutput,
  TensorDatatype,
  TensorSpec,
} from "./artefact.ts";
export { AuditCheckpoint, AuditProof, AuditRecord } from "./audit.ts";
export {
  Column,
  ColumnProfile,
  Dataset,
  DatasetProfile,
  DatasetVersion,
  ImportDataset,
  ImportEvent,
  LeakReport,
  SampleRow,
  SplitName,
  SplitPlan,
} from "./datasets.ts";
export { ModelDefinition } from "./definition.ts";
export { CreateEndpoint, Endpoint, EndpointState, Replica, ReplicaState } from "./deployments.ts";
export { type ErrorCode, errorCatalogue, type ErrorKind, isErrorCode } from "./errors.ts";
export { FittedStep, PreprocessingStep } from "./preprocessing.ts";
export { ClassificationEvaluation, Evaluation, RegressionEvaluation, type Slice } from "./evaluation.ts";
export { Experiment, MetricValues, Run, RunEvent, RunState, StartRun } from "./experiments.ts";
export {
  ChatMessage,
  ChatRequest,
  CompletionRequest,
  DetokenizeRequest,
  EmbeddingRequest,
  CountTokensRequest,
  LanguageModel,
  MessagesRequest,
  ListedModel,
  ResponseFormat,
  Tool,
  ToolCall,
  TokenizeRequest,
} from "./language.ts";
export { Alias, AliasMove, Comparison, LiveAlias, Model, ModelVersion, RegisterModel } from "./models.ts";
export {
  DatasetReference,
  Digest,
  identifier,
  ModelReference,
  Name,
  PageQuery,
  Timestamp,
  VersionNumber,
} from "./names.ts";
export type {
  BodyInputOf,
  BodyOf,
  FieldsSchema,
  Method,
  Operation,
  ParamsOf,
  QueryInputOf,
  QueryOf,
  RequestBody,
  ResponseBody,
  ResponseOf,
} from "./operation.ts";
export { allOperations, type OperationId, operations, type Operations } from "./operations.ts";
export { PredictRequest, Prediction, PredictResponse } from "./predictions.ts";
export { InferRequest, InferResponse, ModelStatistics } from "./open-inference.ts";
export { RepositoryModel } from "./model-repository.ts";
export { buildOpenApi } from "./openapi.ts";
export { FieldProblem, Problem } from "./problem.ts";
export { allows, Role, roleScopes, Scope, scopes, scopesWithin } from "./scopes.ts";
export { ApiKey, CreatedKey, CreateKey, Member, Quotas, Usage, Workspace } from "./workspaces.ts";
