export {
  type Config,
  type ConfigSources,
  loadConfig,
  type LoadedConfig,
  type Origin,
  type SettingName,
  settings,
} from "./config/index.ts";
export { type DecodedImage, decodeImage } from "./datasets/index.ts";
export { codeVersion, type FailpointName, failpointNames, PlatformError } from "./foundation/index.ts";
export { type AuditVerdict, verifyAudit } from "./workspaces/index.ts";
export { backUpPlatform, type CopiedData, restorePlatform } from "./processes/back-up.ts";
export { startSupervisor, type Supervisor, type SupervisorOptions } from "./processes/supervisor.ts";
