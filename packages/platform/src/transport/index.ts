export { isInternal, type ProblemAnswer, problemOf } from "./problem.ts";
export { type DeniedRequest, serveOperations } from "./serve-operations.ts";
