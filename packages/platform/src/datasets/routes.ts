import type { DigestText, Routes } from "../foundation/index.ts";
import { timestamp } from "../foundation/index.ts";
import { importDataset, type ImportDependencies } from "./import-dataset.ts";
import { sampleDataset } from "./sample-dataset.ts";
import { listDatasetVersions, profileDataset, showDataset } from "./show-dataset.ts";

/** Operations of this slice. */
export type DatasetOperationId =
  | "datasets.import"
  | "datasets.list"
  | "datasets.versions"
  | "datasets.show"
  | "datasets.profile"
  | "datasets.samples";

/** Answers the operations on datasets. */
export const datasetRoutes = (dependencies: ImportDependencies): Routes<DatasetOperationId> => {
  const { store, blobs } = dependencies;
  return {
    "datasets.import": async ({ principal, params, body, files, signal }) =>
      importDataset(dependencies, {
        workspaceId: principal.workspaceId,
        name: params.name,
        options: body,
        files,
        signal,
      }),
    "datasets.list": async ({ principal, query }) => {
      const page = await store.listDatasets(principal.workspaceId, query);
      const items = page.items.map(({ name, createdAtMs, versions, latest }) => ({
        name,
        createdAt: timestamp(createdAtMs),
        versions,
        latest: latest.version,
      }));
      return { items, next: page.next };
    },
    "datasets.versions": async ({ principal, params, query }) => {
      const page = await listDatasetVersions(store, principal.workspaceId, { name: params.name, page: query });
      return { items: [...page.items], next: page.next };
    },
    "datasets.show": async ({ principal, params }) => (await showDataset(store, principal.workspaceId, params)).version,
    "datasets.profile": async ({ principal, params }) => {
      const stored = await showDataset(store, principal.workspaceId, params);
      return { reference: `${params.name}@${params.version}`, columns: await profileDataset(blobs, stored) };
    },
    "datasets.samples": async ({ principal, params, query }) => {
      const stored = await showDataset(store, principal.workspaceId, params);
      return { items: await sampleDataset(blobs, stored.version.digest as DigestText, query) };
    },
  };
};
