import { z } from "zod";

/** What a key may do. `admin` includes all others of its workspace; `installation` stands above workspaces. */
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
  "members:read",
  "members:write",
  "audit:read",
  "system:read",
  "admin",
  "installation",
] as const;

/** A scope of an API key. */
export const Scope = z.enum(scopes);
/** A scope of an API key. */
export type Scope = z.infer<typeof Scope>;

/** Whether a key with these scopes may do what needs `required`. */
export const allows = (held: readonly Scope[], required: Scope | "public"): boolean =>
  required === "public" || held.includes(required) || (required !== "installation" && held.includes("admin"));

/** Roles of members, from least to most. */
export const Role = z.enum(["viewer", "editor", "owner"]);
/** A role of a member. */
export type Role = z.infer<typeof Role>;

const viewerScopes: readonly Scope[] = ["datasets:read", "runs:read", "models:read", "endpoints:read", "system:read"];

/** The most that a member's keys may do, by role. */
export const roleScopes: Readonly<Record<Role, readonly Scope[]>> = {
  viewer: viewerScopes,
  editor: [...viewerScopes, "datasets:write", "runs:write", "models:write", "endpoints:write", "predict"],
  owner: ["admin"],
};

/** What a key may do in the hands of a member: its own scopes, as far as the member's role reaches. */
export const scopesWithin = (held: readonly Scope[], role: Role): readonly Scope[] => {
  const most = roleScopes[role];
  if (most.includes("admin")) return held.filter((scope) => scope !== "installation");
  return most.filter((scope) => allows(held, scope));
};
