import type { Scope } from "@modelyard/contracts";

/** Who acts: always made from a verified key, never from a request's body. */
export interface Principal {
  readonly workspaceId: string;
  readonly workspaceName: string;
  readonly keyId: string;
  readonly keyName: string;
  readonly scopes: readonly Scope[];
}
