export { type IpcProcessFamily, openIpcProcessFamily } from "./ipc-process-family.ts";
export {
  type LocalProcessFamily,
  type LocalProcessFamilyOptions,
  openLocalProcessFamily,
} from "./local-process-family.ts";
export { joinSupervisor, type MemberLink, type MessageChannel } from "./member-link.ts";
export {
  isOver,
  type ObservedProcess,
  type ProcessEntry,
  type ProcessExit,
  type ProcessFamily,
  type ProcessMember,
  type ProcessState,
} from "./process-family.ts";
export {
  serveProcessFamily,
  type ServedProcessFamily,
  type ServeProcessFamilyOptions,
} from "./serve-process-family.ts";
