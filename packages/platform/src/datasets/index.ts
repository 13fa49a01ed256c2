export { BlobLedger } from "./blob-ledger.ts";
export type { BlobClaim, DatasetStore } from "./dataset-store.ts";
export type { DatasetDescription, DatasetSummary, NewDatasetVersion, StoredDatasetVersion } from "./dataset-version.ts";
export { type DecodedImage, decodeImage } from "./decode-image.ts";
export { importDataset } from "./import-dataset.ts";
export { type DatasetReader, openDataset } from "./open-dataset.ts";
export { datasetRoutes } from "./routes.ts";
export { showDataset } from "./show-dataset.ts";
export { sweepImports } from "./sweep-imports.ts";
