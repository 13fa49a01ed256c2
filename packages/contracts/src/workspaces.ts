import { z } from "zod";
import { identifier, Name, Nothing, pageOf, PageQuery, Timestamp } from "./names.ts";
import { operation } from "./operation.ts";
import { Role, Scope } from "./scopes.ts";

/** An API key without its secret. */
export const ApiKey = z.object({
  id: identifier("key"),
  name: Name,
  /** First characters of the key, to recognise it by. */
  prefix: z.string(),
  scopes: z.array(Scope).min(1),
  createdAt: Timestamp,
  expiresAt: Timestamp.nullable(),
  revokedAt: Timestamp.nullable(),
  lastUsedAt: Timestamp.nullable(),
  /** Member whose role bounds the key; `null` for a key of the workspace itself. */
  member: Name.nullable(),
});
/** An API key without its secret. */
export type ApiKey = z.infer<typeof ApiKey>;

/** Request of `keys.create`. */
export const CreateKey = z.strictObject({
  name: Name,
  scopes: z.array(Scope).min(1).max(20),
  /** Days until the key stops working; without it the key does not expire. */
  expiresInDays: z.int().min(1).max(3650).optional(),
  /** Member that the key is for: the member's role bounds it. */
  member: Name.optional(),
});

/** Request of `keys.rotate`. */
const RotateKey = z.strictObject({
  /** Hours for which the old secret goes on working beside the new one; 0 ends it at once. */
  overlapHours: z.int().min(0).max(720).default(24),
});

/** A fresh key: the only answer that ever holds the secret. */
export const CreatedKey = ApiKey.extend({ key: z.string() });

/** Bounds of a workspace; `null` is no bound. */
export const Quotas = z.strictObject({
  /** Bytes of its dataset and model versions. */
  storageBytesMax: z.int().min(0).nullable(),
  /** Runs that wait or are under way at the same time. */
  activeRunsMax: z.int().min(0).nullable(),
  endpointsMax: z.int().min(0).nullable(),
});
/** Bounds of a workspace. */
export type Quotas = z.infer<typeof Quotas>;

/** What a workspace uses now, in the units of its quotas. */
export const Usage = z.object({ storageBytes: z.int(), activeRuns: z.int(), endpoints: z.int() });
/** What a workspace uses now. */
export type Usage = z.infer<typeof Usage>;

/** A tenant with its bounds. */
export const Workspace = z.object({ name: Name, createdAt: Timestamp, quotas: Quotas, usage: Usage });
/** A tenant with its bounds. */
export type Workspace = z.infer<typeof Workspace>;

/** A person or program that works in a workspace. */
export const Member = z.object({ name: Name, role: Role, createdAt: Timestamp });
/** A person or program that works in a workspace. */
export type Member = z.infer<typeof Member>;

const NameParams = z.object({ name: Name });
const KeyParams = z.object({ id: identifier("key") });

/** Makes an API key. */
export const createKey = operation({
  id: "keys.create",
  method: "POST",
  path: "/api/v1/keys",
  scope: "keys:write",
  served: "control-plane",
  summary: "Create an API key; its secret is shown once",
  params: Nothing,
  query: Nothing,
  body: { kind: "json", schema: CreateKey },
  response: { kind: "json", status: 201, schema: CreatedKey },
  errors: ["already-exists", "forbidden", "not-found"],
});

/** Lists API keys. */
export const listKeys = operation({
  id: "keys.list",
  method: "GET",
  path: "/api/v1/keys",
  scope: "keys:read",
  served: "control-plane",
  summary: "List API keys without their secrets",
  params: Nothing,
  query: PageQuery,
  body: { kind: "none" },
  response: { kind: "json", status: 200, schema: pageOf(ApiKey) },
  errors: [],
});

/** Revokes an API key. */
export const revokeKey = operation({
  id: "keys.revoke",
  method: "DELETE",
  path: "/api/v1/keys/{id}",
  scope: "keys:write",
  served: "control-plane",
  summary: "Revoke an API key at once",
  params: KeyParams,
  query: Nothing,
  body: { kind: "none" },
  response: { kind: "json", status: 200, schema: ApiKey },
  errors: ["not-found"],
});

/** Replaces a key's secret. */
export const rotateKey = operation({
  id: "keys.rotate",
  method: "POST",
  path: "/api/v1/keys/{id}/rotate",
  scope: "keys:write",
  served: "control-plane",
  summary: "Make a new key in place of one; the old one works on for the overlap",
  params: KeyParams,
  query: Nothing,
  body: { kind: "json", schema: RotateKey },
  response: { kind: "json", status: 201, schema: CreatedKey },
  errors: ["not-found", "forbidden"],
});

/** Makes a workspace. */
export const createWorkspace = operation({
  id: "workspaces.create",
  method: "POST",
  path: "/api/v1/workspaces",
  scope: "installation",
  served: "control-plane",
  summary: "Create a workspace; the answer holds its first key, shown once",
  params: Nothing,
  query: Nothing,
  body: { kind: "json", schema: z.strictObject({ name: Name, quotas: Quotas.partial().optional() }) },
  response: { kind: "json", status: 201, schema: z.object({ workspace: Workspace, key: CreatedKey }) },
  errors: ["already-exists"],
});

/** Lists workspaces. */
export const listWorkspaces = operation({
  id: "workspaces.list",
  method: "GET",
  path: "/api/v1/workspaces",
  scope: "installation",
  served: "control-plane",
  summary: "List workspaces with their quotas and what they use",
  params: Nothing,
  query: PageQuery,
  body: { kind: "none" },
  response: { kind: "json", status: 200, schema: pageOf(Workspace) },
  errors: [],
});

/** Changes a workspace's quotas. */
export const updateWorkspace = operation({
  id: "workspaces.update",
  method: "PATCH",
  path: "/api/v1/workspaces/{name}",
  scope: "installation",
  served: "control-plane",
  summary: "Change the quotas of a workspace",
  params: NameParams,
  query: Nothing,
  body: { kind: "json", schema: z.strictObject({ quotas: Quotas.partial() }) },
  response: { kind: "json", status: 200, schema: Workspace },
  errors: ["not-found"],
});

/** Shows the key's own workspace. */
export const showWorkspace = operation({
  id: "workspaces.current",
  method: "GET",
  path: "/api/v1/workspace",
  scope: "system:read",
  served: "control-plane",
  summary: "Show the key's workspace: quotas and what it uses",
  params: Nothing,
  query: Nothing,
  body: { kind: "none" },
  response: { kind: "json", status: 200, schema: Workspace },
  errors: [],
});

/** Adds a member. */
export const addMember = operation({
  id: "members.add",
  method: "POST",
  path: "/api/v1/members",
  scope: "members:write",
  served: "control-plane",
  summary: "Add a member to the workspace",
  params: Nothing,
  query: Nothing,
  body: { kind: "json", schema: z.strictObject({ name: Name, role: Role }) },
  response: { kind: "json", status: 201, schema: Member },
  errors: ["already-exists", "forbidden"],
});

/** Lists members. */
export const listMembers = operation({
  id: "members.list",
  method: "GET",
  path: "/api/v1/members",
  scope: "members:read",
  served: "control-plane",
  summary: "List the workspace's members",
  params: Nothing,
  query: PageQuery,
  body: { kind: "none" },
  response: { kind: "json", status: 200, schema: pageOf(Member) },
  errors: [],
});

/** Changes a member's role. */
export const updateMember = operation({
  id: "members.update",
  method: "PATCH",
  path: "/api/v1/members/{name}",
  scope: "members:write",
  served: "control-plane",
  summary: "Change a member's role; the member's keys follow at once",
  params: NameParams,
  query: Nothing,
  body: { kind: "json", schema: z.strictObject({ role: Role }) },
  response: { kind: "json", status: 200, schema: Member },
  errors: ["not-found", "forbidden"],
});

/** Removes a member. */
export const removeMember = operation({
  id: "members.remove",
  method: "DELETE",
  path: "/api/v1/members/{name}",
  scope: "members:write",
  served: "control-plane",
  summary: "Remove a member and revoke the member's keys",
  params: NameParams,
  query: Nothing,
  body: { kind: "none" },
  response: { kind: "none", status: 204 },
  errors: ["not-found"],
});
