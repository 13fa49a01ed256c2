export { parseInput } from "./parse-request.ts";
export { isInternal, type ProblemAnswer, problemOf } from "./problem.ts";
export { readTlsFiles, type TlsMaterial, watchTlsFiles } from "./tls-files.ts";
export { type DeniedRequest, serveOperations } from "./serve-operations.ts";
