import { allows, type Member, type Role, roleScopes } from "@modelyard/contracts";
import { type Clock, newIdentifier, notFound, PlatformError, type Principal, timestamp } from "../foundation/index.ts";
import type { MemberStore, StoredMember } from "./member-store.ts";

/** What the use cases of members need. */
export interface MemberDependencies {
  readonly members: MemberStore;
  readonly clock: Clock;
  /** Told when what keys may do has changed. */
  readonly onChange: () => void;
}

/** A member as it goes over the wire. */
export const toMember = ({ name, role, createdAtMs }: StoredMember): Member => ({
  name,
  role,
  createdAt: timestamp(createdAtMs),
});

/** Nobody can hand out more than their own key holds. */
const checkReach = (principal: Principal, role: Role): void => {
  const beyond = roleScopes[role].filter((scope) => !allows(principal.scopes, scope));
  if (beyond.length === 0) return;
  throw new PlatformError(
    "forbidden",
    `The API key "${principal.keyName}" does not hold ${beyond.join(", ")} and cannot give the role ${role}. ` +
      "Give a lesser role, or use an owner's key.",
  );
};

/**
 * Adds a member.
 * @throws PlatformError `already-exists`, `forbidden` when the role reaches further than the key.
 */
export const addMember = async (
  { members, clock }: MemberDependencies,
  principal: Principal,
  request: { readonly name: string; readonly role: Role },
): Promise<Member> => {
  checkReach(principal, request.role);
  const createdAtMs = clock.nowMs();
  const member = { id: newIdentifier("mem", createdAtMs), ...request, createdAtMs };
  await members.addMember(principal.workspaceId, member);
  return toMember(member);
};

/**
 * Gives a member another role; the member's keys follow at once.
 * @throws PlatformError `not-found`, `forbidden` when the role, or the one that is taken away, reaches further than the key.
 */
export const changeRole = async (
  { members, onChange }: MemberDependencies,
  principal: Principal,
  { name, role }: { readonly name: string; readonly role: Role },
): Promise<Member> => {
  checkReach(principal, role);
  const member = await members.findMember(principal.workspaceId, name);
  if (member === null) throw notFound(`member "${name}"`);
  checkReach(principal, member.role);
  if (!(await members.setRole(principal.workspaceId, name, role))) throw notFound(`member "${name}"`);
  onChange();
  return toMember({ ...member, role });
};

/**
 * Removes a member and revokes the member's keys.
 * @throws PlatformError `not-found`, `forbidden` when the member's role reaches further than the key.
 */
export const removeMember = async (
  { members, clock, onChange }: MemberDependencies,
  principal: Principal,
  name: string,
): Promise<void> => {
  const member = await members.findMember(principal.workspaceId, name);
  if (member === null) throw notFound(`member "${name}"`);
  checkReach(principal, member.role);
  if (!(await members.removeMember(principal.workspaceId, name, clock.nowMs()))) throw notFound(`member "${name}"`);
  onChange();
};
