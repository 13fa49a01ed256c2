import type { ArtefactManifest } from "@modelyard/contracts";
import { type Clock, type DigestText, failpoint, newIdentifier } from "../foundation/index.ts";
import type { ModelStore } from "./model-store.ts";
import { firstAlias, type StoredModelVersion } from "./model-version.ts";

/** An artefact whose files are stored already. */
export interface VersionToRegister {
  readonly workspaceId: string;
  readonly model: string;
  readonly digest: string;
  readonly bytes: number;
  readonly artefact: ArtefactManifest;
}

/** Makes an artefact a version of a model. Registering the same artefact again gives the version it already is. */
export const registerVersion = async (
  { models, clock }: { readonly models: ModelStore; readonly clock: Clock },
  { workspaceId, model, digest, bytes, artefact }: VersionToRegister,
): Promise<StoredModelVersion> => {
  const createdAtMs = clock.nowMs();
  const id = newIdentifier("mv", createdAtMs);
  const { stored } = await models.addVersion(workspaceId, model, {
    id,
    digest: digest as DigestText,
    createdAtMs,
    bytes,
    artefact,
    firstAlias,
  });
  failpoint("version.added");
  return stored;
};
