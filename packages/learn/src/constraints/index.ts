export { constrain, type Constraint, type ConstraintConfig, constraintSchema } from "./constraint.ts";
