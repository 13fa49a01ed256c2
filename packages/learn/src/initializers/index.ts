export {
  type Fans,
  fansOf,
  initialize,
  type Initializer,
  type InitializerConfig,
  initializerNames,
  resolveInitializer,
} from "./initializer.ts";
