export { isInternal, type ProblemAnswer, problemOf } from "./problem.ts";
export { serveOperations } from "./serve-operations.ts";
