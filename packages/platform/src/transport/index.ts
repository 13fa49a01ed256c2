export { isInternal, problemOf } from "./problem.ts";
export { serveOperations } from "./serve-operations.ts";
