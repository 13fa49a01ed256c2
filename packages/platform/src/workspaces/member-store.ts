import type { Role } from "@modelyard/contracts";
import type { Page, PageRequest } from "../foundation/index.ts";

/** Somebody who works in a workspace. */
export interface StoredMember {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly createdAtMs: number;
}

/** Knows the members of workspaces. */
export interface MemberStore {
  /** @throws PlatformError `already-exists` when the workspace has a member of the name. */
  addMember(workspaceId: string, member: StoredMember): Promise<void>;
  findMember(workspaceId: string, name: string): Promise<StoredMember | null>;
  /** Members of a workspace, newest first. */
  listMembers(workspaceId: string, page: PageRequest): Promise<Page<StoredMember>>;
  /** Gives a member another role; `false` when there is none of that name. */
  setRole(workspaceId: string, name: string, role: Role): Promise<boolean>;
  /** Removes a member and revokes its keys in one step; `false` when there is none of that name. */
  removeMember(workspaceId: string, name: string, nowMs: number): Promise<boolean>;
}
