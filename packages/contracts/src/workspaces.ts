import { z } from "zod";
import { identifier, Name, Nothing, pageOf, PageQuery, Timestamp } from "./names.ts";
import { operation } from "./operation.ts";
import { Scope } from "./scopes.ts";

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
});
/** An API key without its secret. */
export type ApiKey = z.infer<typeof ApiKey>;

/** Request of `keys.create`. */
export const CreateKey = z.strictObject({
  name: Name,
  scopes: z.array(Scope).min(1).max(20),
  /** Days until the key stops working; without it the key does not expire. */
  expiresInDays: z.int().min(1).max(3650).optional(),
});

/** A fresh key: the only answer that ever holds the secret. */
export const CreatedKey = ApiKey.extend({ key: z.string() });

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
  errors: ["already-exists", "forbidden"],
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
