import { onnxRuntimeExecutor } from "@modelyard/learn/onnxruntime-node";
import { loadConfig, memberVariable } from "../config/index.ts";
import { runExitCodes, trainRun } from "../experiments/index.ts";
import { enableFailpoints, systemClock } from "../foundation/index.ts";
import { openDataDirectory } from "../storage/data-directory.ts";
import { FileBlobStore } from "../storage/file-blob-store.ts";
import { openRunFolders } from "../storage/file-run-folder.ts";
import { joinSupervisor } from "../supervision/index.ts";
import { processLogger } from "./process-logger.ts";

/** Trains one run and ends; its exit code says how it went. */
const main = async (): Promise<number> => {
  using link = joinSupervisor();
  const { config } = loadConfig();
  enableFailpoints(config.failpoints);
  const directory = openDataDirectory(config.dataDirectory);
  const stop = new AbortController();
  void link.ended.then(() => stop.abort());
  link.ready();
  const logger = processLogger("trainer", config);
  const run = memberVariable("MODELYARD_RUN");
  try {
    const result = await trainRun({
      folder: await openRunFolders(directory.runs)(run),
      blobs: await FileBlobStore.open(directory.blobs, run),
      executor: onnxRuntimeExecutor({ threads: config.trainerThreads }),
      clock: systemClock,
      environment: { node: process.version, platform: `${process.platform}-${process.arch}` },
      signal: stop.signal,
    });
    return runExitCodes[result.outcome];
  } catch (error) {
    logger.error({ error }, error instanceof Error ? error.message : "the training failed");
    return 1;
  }
};

process.exitCode = await main();
