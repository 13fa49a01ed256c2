import { notFound } from "../foundation/index.ts";
import type { ModelStore } from "./model-store.ts";
import { isVersionNumber, parseReference, type StoredModelVersion } from "./model-version.ts";

/**
 * Finds a version by model and number.
 * @throws PlatformError `not-found`.
 */
export const findVersion = async (
  models: ModelStore,
  workspaceId: string,
  { name, version }: { readonly name: string; readonly version: number },
): Promise<StoredModelVersion> => {
  const found = await models.findVersion(workspaceId, name, version);
  if (found === null) throw notFound(`model version ${name}@${version}`);
  return found;
};

/**
 * Finds what `name@alias` or `name@version` names now.
 * @throws PlatformError `not-found`.
 */
export const resolveReference = async (
  models: ModelStore,
  workspaceId: string,
  reference: string,
): Promise<StoredModelVersion> => {
  const { model, selector } = parseReference(reference);
  const found = isVersionNumber(selector)
    ? await models.findVersion(workspaceId, model, Number(selector))
    : await models.findByAlias(workspaceId, model, selector);
  if (found === null) throw notFound(`model version ${reference}`);
  return found;
};
