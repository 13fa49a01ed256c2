import { type ErrorCode, errorCatalogue } from "@modelyard/contracts";
import { codeVersion } from "../foundation/index.ts";

/** How strictly the Open Inference paths behave like NVIDIA Triton, whose clients read more than the standard says. */
export type DialectName = "modelyard" | "triton";

/** What differs between dialects of the Open Inference Protocol. */
export interface ProtocolDialect {
  readonly server: { readonly name: string; readonly version: string; readonly extensions: readonly string[] };
  /** HTTP status of a code on these paths. */
  status(code: ErrorCode): number;
  /** Text of a failure. @param model The model of the request's path. */
  message(code: ErrorCode, detail: string, model: string): string;
}

const extensions = [
  "classification",
  "model_repository",
  "model_repository(unload_dependents)",
  "model_configuration",
  "binary_tensor_data",
  "parameters",
  "statistics",
] as const;

/** Triton has one status for everything that is wrong with a request, and no 403 or 429. */
const tritonStatus = (status: number): number => (status === 422 || status === 413 || status === 415 ? 400 : status);

/** The dialects by name. */
export const dialects: Readonly<Record<DialectName, ProtocolDialect>> = {
  modelyard: {
    server: { name: "modelyard", version: codeVersion, extensions },
    status: (code) => errorCatalogue[code].status,
    message: (_, detail) => detail,
  },
  triton: {
    // Clients compare the name; the version is of the protocol's server side that is kept to.
    server: { name: "triton", version: "2.62.0", extensions },
    status: (code) => (code === "endpoint-not-ready" ? 400 : tritonStatus(errorCatalogue[code].status)),
    message: (code, detail, model) =>
      code === "not-found" && model !== "" ? `Request for unknown model: '${model}' is not found` : detail,
  },
};
