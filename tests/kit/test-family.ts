import { fileURLToPath } from "node:url";
import { systemClock } from "../../packages/platform/src/foundation/index.ts";
import {
  type LocalProcessFamily,
  openLocalProcessFamily,
} from "../../packages/platform/src/supervision/local-process-family.ts";

const member = new URL("../../packages/platform/src/supervision/member.conformance.ts", import.meta.url);

/** A family whose members are real processes that do what `MEMBER_MODE` says, whatever entry they were asked to run. */
export const openTestFamily = (environment: Readonly<Record<string, string>> = {}): LocalProcessFamily =>
  openLocalProcessFamily({
    clock: systemClock,
    environment,
    onLine: () => {},
    entryFile: () => fileURLToPath(member),
  });
