export { parseInput } from "./parse-request.ts";
export { isInternal, problemOf } from "./problem.ts";
export { serveOperations, type ServeOptions } from "./serve-operations.ts";
