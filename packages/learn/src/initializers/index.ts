export { initialize, type Initializer, initializerNames } from "./initializer.ts";
