import type { ApiKey, Scope, Usage } from "@modelyard/contracts";
import type { Page, PageRequest } from "../foundation/index.ts";
import type { KeyVerifier } from "./api-key.ts";
import type { QuotaChanges, Workspace } from "./workspace.ts";

/** A key to be stored. */
export interface NewKey {
  readonly id: string;
  readonly name: string;
  readonly prefix: string;
  readonly secretHash: string;
  readonly scopes: readonly Scope[];
  readonly createdAtMs: number;
  readonly expiresAtMs: number | null;
  /** Member whose role bounds it; `null` for a key of the workspace itself. */
  readonly memberName: string | null;
}

/** Knows workspaces and their keys. Not responsible for secrets: it never sees one. */
export interface WorkspaceStore {
  /** Finds a workspace by name, or makes it without quotas. */
  ensureWorkspace(name: string, nowMs: number): Promise<Workspace>;
  /** @throws PlatformError `already-exists` when the name is taken. */
  addWorkspace(workspace: Workspace): Promise<void>;
  findWorkspace(by: { readonly id: string } | { readonly name: string }): Promise<Workspace | null>;
  /** Workspaces of the installation, newest first. */
  listWorkspaces(page: PageRequest): Promise<Page<Workspace>>;
  /** Changes the quotas that are given; `null` when there is no such workspace. */
  setQuotas(name: string, quotas: QuotaChanges): Promise<Workspace | null>;
  /** What a workspace uses now. */
  usage(workspaceId: string): Promise<Usage>;
  /**
   * Adds a key.
   * @throws PlatformError `already-exists` when a live key of the workspace has the name, `not-found` without the member.
   */
  addKey(workspaceId: string, key: NewKey): Promise<ApiKey>;
  /** The key of that id; `null` when the workspace has none. */
  findKey(workspaceId: string, id: string): Promise<ApiKey | null>;
  /** Keys of a workspace, newest first, revoked ones too. */
  listKeys(workspaceId: string, page: PageRequest): Promise<Page<ApiKey>>;
  /** Revokes a key; `null` when the workspace has none of that id. A second time changes nothing. */
  revokeKey(workspaceId: string, id: string, nowMs: number): Promise<ApiKey | null>;
  /**
   * Puts a key in the place of a live one, which works on until `oldUntilMs`; both happen or neither.
   * @returns The new key; `null` when the old one is not live.
   */
  replaceKey(
    workspaceId: string,
    replacement: { readonly id: string; readonly key: NewKey; readonly oldUntilMs: number },
  ): Promise<ApiKey | null>;
  /** Replaces the secret of the live key of this name, keeping its id and scopes; `false` when there is none. */
  replaceSecret(workspaceId: string, name: string, secret: Pick<NewKey, "prefix" | "secretHash">): Promise<boolean>;
  /** What checks the key with this prefix. */
  findVerifier(prefix: string): Promise<KeyVerifier | undefined>;
  /** What checks any key that is neither revoked nor expired, of all workspaces; for the gateway. */
  listVerifiers(nowMs: number): Promise<readonly KeyVerifier[]>;
  /** Notes that a key was used. */
  touchKey(id: string, nowMs: number): Promise<void>;
}
