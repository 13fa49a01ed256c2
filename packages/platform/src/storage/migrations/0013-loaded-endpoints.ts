import type { Migration } from "./migration.ts";

/** Endpoints can be unloaded and keep their name. */
export const loadedEndpointsMigration: Migration = {
  name: "0013-loaded-endpoints",
  up: [`alter table endpoints add column loaded integer not null default 1`],
};
