import { rm } from "node:fs/promises";
import { ArtefactManifest } from "@modelyard/contracts";
import { z } from "zod";
import { loadConfig, memberVariable } from "../config/index.ts";
import { type DigestText, enableFailpoints, isDigest, PlatformError } from "../foundation/index.ts";
import { serveReplica } from "../predictions/index.ts";
import { onnxRuntime } from "../runtimes/onnx-runtime.ts";
import { openDataDirectory } from "../storage/data-directory.ts";
import { FileBlobStore } from "../storage/file-blob-store.ts";
import { joinSupervisor } from "../supervision/index.ts";
import { replicaAddress } from "../supervision/local-replica-engine.ts";
import { type ReplicaParts, serveLanguage } from "./language-replica.ts";
import { processLogger } from "./process-logger.ts";
import { runProcess } from "./run-process.ts";

const specSchema = z.object({
  id: z.string(),
  endpoint: z.string(),
  model: z.string(),
  version: z.number(),
  digest: z.custom<DigestText>((value) => typeof value === "string" && isDigest(value)),
});

const drainMs = 25_000;

/** Answers requests for a model that takes tensors. */
const serveTensors = async (parts: ReplicaParts, resources: AsyncDisposableStack): Promise<void> => {
  const { spec, manifest, blobs, config, logger } = parts;
  const graph = manifest.graph.digest;
  if (!isDigest(graph) || manifest.signature === null) {
    throw new PlatformError("artefact-corrupt", "The artefact names no graph or no signature.");
  }
  const loaded = resources.use(
    await onnxRuntime.load(await blobs.get(graph), { threads: config.replicaThreads, rowsMax: config.batchRowsMax }),
  );
  const served = { ...spec, signature: manifest.signature, preprocessing: manifest.preprocessing, loaded };
  const options = {
    rowsMax: config.batchRowsMax,
    queueMax: config.queueMax,
    windowMs: config.batchWindowMs,
    bodyBytesMax: config.bodyBytesMax,
    logger,
    drainMs: parts.drainMs,
  };
  resources.use(await serveReplica(parts.address, served, options));
};

/** Loads one version and answers the gateway's requests for it. */
const main = async (): Promise<void> => {
  using link = joinSupervisor();
  const { config } = loadConfig();
  enableFailpoints(config.failpoints);
  const logger = processLogger("replica", config);
  const spec = specSchema.parse(JSON.parse(memberVariable("MODELYARD_REPLICA")));
  const directory = openDataDirectory(config.dataDirectory);
  const blobs = await FileBlobStore.open(directory.blobs, "replica");
  // Both digests are proved before a byte is used.
  const manifest = ArtefactManifest.parse(JSON.parse(new TextDecoder().decode(await blobs.get(spec.digest))));
  const address = replicaAddress(directory.sockets, spec.id);
  await rm(address, { force: true });
  await using resources = new AsyncDisposableStack();
  const serve = manifest.languageModel === undefined ? serveTensors : serveLanguage;
  await serve({ spec, manifest, blobs, config, logger, address, drainMs }, resources);
  logger.info({ endpoint: spec.endpoint, model: spec.model, version: spec.version }, "replica ready");
  link.ready();
  await link.ended;
};

await runProcess(main);
