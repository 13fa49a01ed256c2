export { constrain, type Constraint, constraintSchema } from "./constraint.ts";
