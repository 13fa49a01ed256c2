import type { ArtefactManifest } from "@modelyard/contracts";
import type { Config } from "../config/index.ts";
import type { ReplicaSpec } from "../deployments/index.ts";
import { isDigest, type Logger, PlatformError, systemClock } from "../foundation/index.ts";
import { defaultTemplate, languageAnswerer, openTemplateSandbox } from "../language/index.ts";
import { serveAnswerer } from "../predictions/index.ts";
import { llamaTextEngine } from "../runtimes/llama/llama-text-engine.ts";
import type { FileBlobStore } from "../storage/file-blob-store.ts";

/** What a replica process has found out before it loads its model. */
export interface ReplicaParts {
  readonly spec: ReplicaSpec;
  readonly manifest: ArtefactManifest;
  readonly blobs: FileBlobStore;
  readonly config: Config;
  readonly logger: Logger;
  /** Socket to listen on. */
  readonly address: string;
  readonly drainMs: number;
}

/** Loads a language model and answers requests for it until the resources are disposed. */
export const serveLanguage = async (parts: ReplicaParts, resources: AsyncDisposableStack): Promise<void> => {
  const { spec, manifest, blobs, config, logger, address, drainMs } = parts;
  const { languageModel: facts } = manifest;
  const graph = manifest.graph.digest;
  if (!isDigest(graph) || facts === undefined) {
    throw new PlatformError("artefact-corrupt", "The artefact names no language model.");
  }
  const loaded = resources.use(
    await llamaTextEngine.load(await blobs.provedFile(graph), {
      threads: config.replicaThreads,
      sequencesMax: config.languageSequencesMax,
      contextMax: config.languageContextMax,
      keyValueBytesMax: config.languageMemoryBytesMax,
      keyValueBytesPerToken: facts.keyValueBytesPerToken,
      queueMax: config.queueMax,
      perOwnerMax: config.languagePerKeyMax,
    }),
  );
  const templates = resources.use(openTemplateSandbox(facts.chatTemplate ?? defaultTemplate));
  const served = { ...spec, facts, loaded, templates, clock: systemClock };
  const answering = { model: spec.model, version: spec.version, answerer: languageAnswerer(served) };
  resources.use(await serveAnswerer(address, answering, { logger, drainMs }));
};
