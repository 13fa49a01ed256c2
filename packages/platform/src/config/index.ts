export {
  type Config,
  configEnvironment,
  type ConfigSources,
  inheritedEnvironment,
  loadConfig,
  type LoadedConfig,
  memberVariable,
  type Origin,
  type SettingName,
  settings,
} from "./config.ts";
