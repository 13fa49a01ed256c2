import { appendFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDataDirectory } from "../storage/data-directory.ts";
import { openFileAuditCheckpoints } from "../storage/file-audit-checkpoints.ts";
import { auditCheckpointLogConformance } from "./audit-checkpoint-log.conformance.ts";

auditCheckpointLogConformance("file", async () => {
  const folder = await mkdtemp(join(tmpdir(), "modelyard-audit-"));
  const directory = openDataDirectory(folder);
  return {
    reopen: () => openFileAuditCheckpoints(directory),
    tear: () => appendFile(directory.auditCheckpoints, '{"workspace":"ws_a","sequ'),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
});
