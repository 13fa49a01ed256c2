export { joinSupervisor } from "./member-link.ts";
export { serveProcessFamily } from "./serve-process-family.ts";
