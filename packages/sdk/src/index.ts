export type {
  CallOptions,
  DatasetMethods,
  EndpointMethods,
  Group,
  ImportFile,
  InferenceMethods,
  Method,
  PredictInput,
  RunMethods,
} from "./client-types.ts";
export { Modelyard } from "./modelyard.ts";
export { ModelyardError } from "./modelyard-error.ts";
export type { ClientOptions } from "./send.ts";
