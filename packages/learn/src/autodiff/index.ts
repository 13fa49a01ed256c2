export { type Differentiation, differentiate, gradientRules } from "./differentiate.ts";
