export { differentiate } from "./differentiate.ts";
export { scatteredRows } from "./rules/indexing.ts";
