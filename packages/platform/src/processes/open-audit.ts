import type { Clock, Logger } from "../foundation/index.ts";
import type { DeniedRequest } from "../transport/index.ts";
import { AuditDenials, auditRoutes, defaultWorkspaceName, keepAudit } from "../workspaces/index.ts";
import type { Stores } from "./open-stores.ts";

/** What the control plane takes from its audit log. */
export interface OpenedAudit {
  readonly routes: ReturnType<typeof auditRoutes>;
  readonly onDenied: (denied: DeniedRequest) => void;
}

/** Keeps the audit log for as long as the control plane runs. */
export const openAudit = async (
  { audit, checkpoints, workspaces }: Stores,
  context: { readonly clock: Clock; readonly logger: Logger; readonly retentionDays: number },
  resources: AsyncDisposableStack,
): Promise<OpenedAudit> => {
  resources.use(keepAudit({ audit, checkpoints, ...context }));
  const denials = resources.use(new AuditDenials(audit, context.logger));
  // Who came without a good key belongs to no workspace: the installation's own keeps those.
  const { id } = await workspaces.ensureWorkspace(defaultWorkspaceName, context.clock.nowMs());
  return {
    routes: auditRoutes({ audit, checkpoints, clock: context.clock }),
    onDenied: ({ operation, requestId, reason, principal }) =>
      denials.add(principal?.workspaceId ?? id, {
        operation,
        actor: principal === null ? null : { key: principal.keyId, name: principal.keyName },
        requestId,
        reason,
        count: 1,
      }),
  };
};
