import type { AliasMove } from "@modelyard/contracts";
import { type Clock, failpoint, notFound, type Once } from "../foundation/index.ts";
import type { ModelStore } from "./model-store.ts";
import { checkAlias } from "./model-version.ts";

/** Told after an alias names another version. */
export interface AliasMoved {
  readonly workspaceId: string;
  readonly model: string;
  readonly alias: string;
}

/** What moving an alias needs. */
export interface MoveAliasDependencies {
  readonly models: ModelStore;
  readonly clock: Clock;
  readonly onMoved: (event: AliasMoved) => void;
}

/** A move that somebody asks for. */
export interface AliasRequest {
  readonly workspaceId: string;
  readonly keyId: string;
  readonly model: string;
  readonly alias: string;
  readonly version: number;
  readonly once?: Once | undefined;
}

/**
 * Makes an alias name a version; services that follow it roll over.
 * @throws PlatformError `alias-invalid`, `not-found`.
 */
export const moveAlias = async (
  { models, clock, onMoved }: MoveAliasDependencies,
  { workspaceId, keyId, model, alias, version, once }: AliasRequest,
): Promise<AliasMove> => {
  checkAlias(alias);
  const wanted = { alias, to: version, atMs: clock.nowMs(), by: keyId, once };
  const move = await models.moveAlias(workspaceId, model, wanted);
  if (move === null) throw notFound(`model version ${model}@${version}`);
  failpoint("alias.moved");
  onMoved({ workspaceId, model, alias });
  return move;
};
