import { z } from "zod";
import { ArtefactManifest } from "./artefact.ts";
import { Digest, Name, Nothing, pageOf, PageQuery, Timestamp, VersionNumber } from "./names.ts";
import { operation } from "./operation.ts";

/** One immutable version of a model. */
export const ModelVersion = z.object({
  model: Name,
  version: VersionNumber,
  /** Digest of the artefact's manifest. */
  digest: Digest,
  createdAt: Timestamp,
  /** Size of all files of the artefact. */
  bytes: z.int(),
  /** Aliases that point here now. */
  aliases: z.array(Name),
  artefact: ArtefactManifest,
});
/** One immutable version of a model. */
export type ModelVersion = z.infer<typeof ModelVersion>;

/** A movable name of a version. */
export const Alias = z.object({ alias: Name, version: VersionNumber, since: Timestamp });

/** A model: a name with versions and aliases. */
export const Model = z.object({
  name: Name,
  createdAt: Timestamp,
  versions: z.int(),
  latest: VersionNumber,
  aliases: z.array(Alias),
});
/** A model. */
export type Model = z.infer<typeof Model>;

/** One move of an alias. */
export const AliasMove = z.object({
  alias: Name,
  from: VersionNumber.nullable(),
  to: VersionNumber,
  at: Timestamp,
  /** Id of the key that moved it; `null` when the platform did. */
  by: z.string().nullable(),
});
/** One move of an alias. */
export type AliasMove = z.infer<typeof AliasMove>;

/** Two versions side by side. */
export const Comparison = z.object({
  a: ModelVersion,
  b: ModelVersion,
  /** Figures of both evaluations by name, and b − a; `null` where one is missing. */
  metrics: z.array(
    z.object({
      name: z.string(),
      a: z.number().nullable(),
      b: z.number().nullable(),
      difference: z.number().nullable(),
    }),
  ),
  /** What differs in lineage and definition, as dotted paths. */
  changes: z.array(z.object({ path: z.string(), a: z.unknown(), b: z.unknown() })),
});
/** Two versions side by side. */
export type Comparison = z.infer<typeof Comparison>;

/** Options of `models.register`; the ONNX or GGUF file follows in the same multipart request. */
export const RegisterModel = z.strictObject({
  /** Names of the classes in the order of the graph's one output; without them predictions are plain values. */
  labels: z.array(z.string().min(1).max(200)).min(2).max(100_000).optional(),
  /** What that output holds. */
  scores: z.enum(["probabilities", "logits"]).default("probabilities"),
  /** Replaces the chat template of a language model (Jinja). */
  chatTemplate: z.string().min(1).max(262_144).optional(),
});
/** Options of `models.register`. */
export type RegisterModel = z.infer<typeof RegisterModel>;

const ModelParams = z.object({ name: Name });
const ModelVersionParams = z.object({ name: Name, version: z.coerce.number().pipe(VersionNumber) });
const AliasParams = z.object({ name: Name, alias: Name });

/** Lists models. */
export const listModels = operation({
  id: "models.list",
  method: "GET",
  path: "/api/v1/models",
  scope: "models:read",
  served: "control-plane",
  summary: "List models with their aliases",
  params: Nothing,
  query: PageQuery,
  body: { kind: "none" },
  response: { kind: "json", status: 200, schema: pageOf(Model) },
  errors: [],
});

/** Shows a model. */
export const showModel = operation({
  id: "models.show",
  method: "GET",
  path: "/api/v1/models/{name}",
  scope: "models:read",
  served: "control-plane",
  summary: "Show a model",
  params: ModelParams,
  query: Nothing,
  body: { kind: "none" },
  response: { kind: "json", status: 200, schema: Model },
  errors: ["not-found"],
});

/** Registers a model that was made elsewhere. */
export const registerModel = operation({
  id: "models.register",
  method: "POST",
  path: "/api/v1/models/{name}/versions",
  scope: "models:write",
  served: "control-plane",
  summary: "Register an ONNX or GGUF file as the next version of a model",
  params: ModelParams,
  query: Nothing,
  body: { kind: "multipart", schema: RegisterModel },
  response: { kind: "json", status: 201, schema: ModelVersion },
  errors: [
    "onnx-invalid",
    "gguf-invalid",
    "payload-too-large",
    "unsupported-media-type",
    "malformed-json",
    "disk-full",
  ],
});

/** Lists the versions of a model. */
export const listModelVersions = operation({
  id: "models.versions",
  method: "GET",
  path: "/api/v1/models/{name}/versions",
  scope: "models:read",
  served: "control-plane",
  summary: "List the versions of a model, newest first",
  params: ModelParams,
  query: PageQuery,
  body: { kind: "none" },
  response: { kind: "json", status: 200, schema: pageOf(ModelVersion) },
  errors: ["not-found"],
});

/** Shows a version. */
export const showModelVersion = operation({
  id: "models.version",
  method: "GET",
  path: "/api/v1/models/{name}/versions/{version}",
  scope: "models:read",
  served: "control-plane",
  summary: "Show a version: signature, evaluation, lineage",
  params: ModelVersionParams,
  query: Nothing,
  body: { kind: "none" },
  response: { kind: "json", status: 200, schema: ModelVersion },
  errors: ["not-found"],
});

/** Compares two versions. */
export const compareModelVersions = operation({
  id: "models.compare",
  method: "GET",
  path: "/api/v1/models/{name}/compare",
  scope: "models:read",
  served: "control-plane",
  summary: "Compare two versions: figures and what differs in how they were made",
  params: ModelParams,
  query: z.object({
    a: z.coerce.number().pipe(VersionNumber),
    b: z.coerce.number().pipe(VersionNumber),
  }),
  body: { kind: "none" },
  response: { kind: "json", status: 200, schema: Comparison },
  errors: ["not-found"],
});

/** Moves an alias. */
export const setAlias = operation({
  id: "models.alias",
  method: "PUT",
  path: "/api/v1/models/{name}/aliases/{alias}",
  scope: "models:write",
  served: "control-plane",
  summary: "Point an alias at a version; endpoints that follow it roll over",
  params: AliasParams,
  query: Nothing,
  body: { kind: "json", schema: z.strictObject({ version: VersionNumber }) },
  response: { kind: "json", status: 200, schema: AliasMove },
  errors: ["not-found", "alias-invalid"],
  once: true,
});

/** Shows the history of an alias. */
export const aliasHistory = operation({
  id: "models.alias-history",
  method: "GET",
  path: "/api/v1/models/{name}/aliases/{alias}/history",
  scope: "models:read",
  served: "control-plane",
  summary: "Show which version an alias named when, newest first",
  params: AliasParams,
  query: PageQuery,
  body: { kind: "none" },
  response: { kind: "json", status: 200, schema: pageOf(AliasMove) },
  errors: ["not-found"],
});

/** Exports a version. */
export const exportModelVersion = operation({
  id: "models.export",
  method: "GET",
  path: "/api/v1/models/{name}/versions/{version}/export",
  scope: "models:read",
  served: "control-plane",
  summary: "Download a version's graph as ONNX",
  params: ModelVersionParams,
  query: Nothing,
  body: { kind: "none" },
  response: { kind: "bytes", status: 200, contentType: "application/octet-stream" },
  errors: ["not-found", "artefact-corrupt"],
});

/** Where an alias pointed at a moment. */
export const LiveAlias = z.object({ alias: Name, version: VersionNumber, since: Timestamp });
/** Where an alias pointed at a moment. */
export type LiveAlias = z.infer<typeof LiveAlias>;

/** Answers what was live when. */
export const liveAliases = operation({
  id: "models.live",
  method: "GET",
  path: "/api/v1/models/{name}/live",
  scope: "models:read",
  served: "control-plane",
  summary: "Show which version each alias named at a moment; without `at`, now",
  params: z.object({ name: Name }),
  query: z.object({ at: Timestamp.optional() }),
  body: { kind: "none" },
  response: { kind: "json", status: 200, schema: z.object({ at: Timestamp, items: z.array(LiveAlias) }) },
  errors: ["not-found"],
});
