import type { ApiKey, Scope } from "@modelyard/contracts";
import type { Page, PageRequest } from "../foundation/index.ts";
import type { KeyVerifier } from "./api-key.ts";

/** A tenant. */
export interface Workspace {
  readonly id: string;
  readonly name: string;
}

/** A key to be stored. */
export interface NewKey {
  readonly id: string;
  readonly name: string;
  readonly prefix: string;
  readonly secretHash: string;
  readonly scopes: readonly Scope[];
  readonly createdAtMs: number;
  readonly expiresAtMs: number | null;
}

/** Knows workspaces and their keys. Not responsible for secrets: it never sees one. */
export interface WorkspaceStore {
  /** Finds a workspace by name, or makes it. */
  ensureWorkspace(name: string, nowMs: number): Promise<Workspace>;
  /**
   * Adds a key.
   * @throws PlatformError `already-exists` when a live key of the workspace has the name.
   */
  addKey(workspaceId: string, key: NewKey): Promise<ApiKey>;
  /** Keys of a workspace, newest first, revoked ones too. */
  listKeys(workspaceId: string, page: PageRequest): Promise<Page<ApiKey>>;
  /** Revokes a key; `null` when the workspace has none of that id. A second time changes nothing. */
  revokeKey(workspaceId: string, id: string, nowMs: number): Promise<ApiKey | null>;
  /** Replaces the secret of the live key of this name, keeping its id and scopes; `false` when there is none. */
  replaceSecret(workspaceId: string, name: string, secret: Pick<NewKey, "prefix" | "secretHash">): Promise<boolean>;
  /** What checks the key with this prefix. */
  findVerifier(prefix: string): Promise<KeyVerifier | undefined>;
  /** What checks any key that is neither revoked nor expired, of all workspaces; for the gateway. */
  listVerifiers(nowMs: number): Promise<readonly KeyVerifier[]>;
  /** Notes that a key was used. */
  touchKey(id: string, nowMs: number): Promise<void>;
}
