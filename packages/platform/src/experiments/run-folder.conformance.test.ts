import { appendFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openRunFolders } from "../storage/file-run-folder.ts";
import { runFolderConformance } from "./run-folder.conformance.ts";

runFolderConformance("files", async () => {
  const root = await mkdtemp(join(tmpdir(), "modelyard-runs-"));
  return {
    open: openRunFolders(root),
    tearJournal: (runId) => appendFile(join(root, runId, "events.jsonl"), '{"type":"log","mess'),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true }),
  };
});
