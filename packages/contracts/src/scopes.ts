import { z } from "zod";

/** What a key may do. `admin` includes all others. */
export const scopes = [
  "datasets:read",
  "datasets:write",
  "runs:read",
  "runs:write",
  "models:read",
  "models:write",
  "endpoints:read",
  "endpoints:write",
  "predict",
  "keys:read",
  "keys:write",
  "system:read",
  "admin",
] as const;

/** A scope of an API key. */
export const Scope = z.enum(scopes);
/** A scope of an API key. */
export type Scope = z.infer<typeof Scope>;

/** Whether a key with these scopes may do what needs `required`. */
export const allows = (held: readonly Scope[], required: Scope | "public"): boolean =>
  required === "public" || held.includes("admin") || held.includes(required);
