import { failpoint, notFound, type Routes } from "../foundation/index.ts";
import { createKey, type KeyDependencies } from "./create-key.ts";
import { createWorkspace } from "./create-workspace.ts";
import { addMember, changeRole, type MemberDependencies, removeMember, toMember } from "./manage-members.ts";
import { rotateKey } from "./rotate-key.ts";
import { toWorkspace } from "./workspace.ts";

/** Operations of this slice. */
export type WorkspaceOperationId =
  | "keys.create"
  | "keys.list"
  | "keys.revoke"
  | "keys.rotate"
  | "workspaces.create"
  | "workspaces.list"
  | "workspaces.update"
  | "workspaces.current"
  | "members.add"
  | "members.list"
  | "members.update"
  | "members.remove"
  | "system.whoami";

type KeyOperationId = Extract<WorkspaceOperationId, `keys.${string}`>;
type MemberOperationId = Extract<WorkspaceOperationId, `members.${string}`>;

const keyRoutes = (dependencies: KeyDependencies): Routes<KeyOperationId> => ({
  "keys.create": async ({ principal, body }) => createKey(dependencies, principal, body),
  "keys.list": async ({ principal, query }) => {
    const page = await dependencies.store.listKeys(principal.workspaceId, query);
    return { items: [...page.items], next: page.next };
  },
  "keys.revoke": async ({ principal, params }) => {
    const key = await dependencies.store.revokeKey(principal.workspaceId, params.id, dependencies.clock.nowMs());
    if (key === null) throw notFound("API key of this id");
    failpoint("key.revoked");
    dependencies.onChange();
    return key;
  },
  "keys.rotate": async ({ principal, params, body }) => rotateKey(dependencies, principal, { ...params, ...body }),
});

const memberRoutes = (dependencies: MemberDependencies): Routes<MemberOperationId> => ({
  "members.add": async ({ principal, body }) => addMember(dependencies, principal, body),
  "members.list": async ({ principal, query }) => {
    const page = await dependencies.members.listMembers(principal.workspaceId, query);
    return { items: page.items.map(toMember), next: page.next };
  },
  "members.update": async ({ principal, params, body }) => changeRole(dependencies, principal, { ...params, ...body }),
  "members.remove": async ({ principal, params }) => {
    await removeMember(dependencies, principal, params.name);
    return undefined;
  },
});

/** Answers the operations on workspaces, members and keys. */
export const workspaceRoutes = (
  dependencies: KeyDependencies & MemberDependencies & { readonly codeVersion: string },
): Routes<WorkspaceOperationId> => ({
  ...keyRoutes(dependencies),
  ...memberRoutes(dependencies),
  "workspaces.create": async ({ body }) => createWorkspace(dependencies, body),
  "workspaces.list": async ({ query }) => {
    const { store } = dependencies;
    const page = await store.listWorkspaces(query);
    const items = page.items.map(async (workspace) => toWorkspace(workspace, await store.usage(workspace.id)));
    return { items: await Promise.all(items), next: page.next };
  },
  "workspaces.update": async ({ params, body }) => {
    const { store } = dependencies;
    const workspace = await store.setQuotas(params.name, body.quotas);
    if (workspace === null) throw notFound(`workspace "${params.name}"`);
    return toWorkspace(workspace, await store.usage(workspace.id));
  },
  "workspaces.current": async ({ principal }) => {
    const { store } = dependencies;
    const workspace = await store.findWorkspace({ id: principal.workspaceId });
    if (workspace === null) throw notFound("workspace");
    return toWorkspace(workspace, await store.usage(workspace.id));
  },
  "system.whoami": async ({ principal }) => ({
    version: dependencies.codeVersion,
    workspace: principal.workspaceName,
    key: { id: principal.keyId, name: principal.keyName, scopes: [...principal.scopes] },
  }),
});
