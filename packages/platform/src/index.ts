export { PlatformError } from "./foundation/index.ts";
