import { type DigestText, notFound, type Routes } from "../foundation/index.ts";
import type { BlobStore } from "../storage/blob-store.ts";
import { compareVersions } from "./compare-versions.ts";
import { findVersion } from "./find-version.ts";
import { toModelVersion } from "./model-version.ts";
import { liveAliases } from "./live-aliases.ts";
import { moveAlias, type MoveAliasDependencies } from "./move-alias.ts";
import { registerFile } from "./register-file.ts";

/** Operations of this slice. */
export type ModelOperationId =
  | "models.list"
  | "models.show"
  | "models.versions"
  | "models.version"
  | "models.register"
  | "models.compare"
  | "models.alias"
  | "models.alias-history"
  | "models.live"
  | "models.export";

/** Answers the operations on models. */
export const modelRoutes = (
  dependencies: MoveAliasDependencies & { readonly blobs: BlobStore },
): Routes<ModelOperationId> => {
  const { models, blobs } = dependencies;
  return {
    "models.register": async ({ principal, params, body, files }) =>
      toModelVersion(
        await registerFile(dependencies, {
          workspaceId: principal.workspaceId,
          model: params.name,
          options: body,
          files,
        }),
      ),
    "models.list": async ({ principal, query }) => {
      const page = await models.listModels(principal.workspaceId, query);
      return { items: [...page.items], next: page.next };
    },
    "models.show": async ({ principal, params }) => {
      const model = await models.findModel(principal.workspaceId, params.name);
      if (model === null) throw notFound(`model "${params.name}"`);
      return model;
    },
    "models.versions": async ({ principal, params, query }) => {
      const page = await models.listVersions(principal.workspaceId, params.name, query);
      if (page === null) throw notFound(`model "${params.name}"`);
      return { items: page.items.map(toModelVersion), next: page.next };
    },
    "models.version": async ({ principal, params }) =>
      toModelVersion(await findVersion(models, principal.workspaceId, params)),
    "models.compare": async ({ principal, params, query }) =>
      compareVersions(
        await findVersion(models, principal.workspaceId, { name: params.name, version: query.a }),
        await findVersion(models, principal.workspaceId, { name: params.name, version: query.b }),
      ),
    "models.alias": async ({ principal, params, body, once }) =>
      moveAlias(dependencies, {
        workspaceId: principal.workspaceId,
        keyId: principal.keyId,
        model: params.name,
        alias: params.alias,
        version: body.version,
        once,
      }),
    "models.alias-history": async ({ principal, params, query }) => {
      const alias = { model: params.name, alias: params.alias };
      const page = await models.aliasHistory(principal.workspaceId, alias, query);
      if (page.items.length === 0 && query.after === undefined) throw notFound(`alias ${params.name}@${params.alias}`);
      return { items: [...page.items], next: page.next };
    },
    "models.live": async ({ principal, params, query }) =>
      liveAliases(dependencies, { workspaceId: principal.workspaceId, model: params.name, at: query.at }),
    "models.export": async ({ principal, params }) => {
      const stored = await findVersion(models, principal.workspaceId, params);
      const bytes = await blobs.get(stored.artefact.graph.digest as DigestText);
      const extension = stored.artefact.languageModel === undefined ? "onnx" : "gguf";
      return { bytes, fileName: `${stored.model}-${stored.version}.${extension}`, length: bytes.byteLength };
    },
  };
};
