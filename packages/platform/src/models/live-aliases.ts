import type { LiveAlias } from "@modelyard/contracts";
import { type Clock, notFound, timestamp } from "../foundation/index.ts";
import type { ModelStore } from "./model-store.ts";

/**
 * Answers what was live when: the version that each alias of a model named at a moment.
 * @param asked `at` is ISO 8601; without it, now.
 * @throws PlatformError `not-found`.
 */
export const liveAliases = async (
  { models, clock }: { readonly models: ModelStore; readonly clock: Clock },
  {
    workspaceId,
    model,
    at,
  }: { readonly workspaceId: string; readonly model: string; readonly at?: string | undefined },
): Promise<{ at: string; items: LiveAlias[] }> => {
  if ((await models.findModel(workspaceId, model)) === null) throw notFound(`model "${model}"`);
  const atMs = at === undefined ? clock.nowMs() : Date.parse(at);
  return { at: timestamp(atMs), items: [...(await models.aliasesAt(workspaceId, model, atMs))] };
};
