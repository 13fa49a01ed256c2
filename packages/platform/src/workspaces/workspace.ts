import type { Quotas, Usage, Workspace as WireWorkspace } from "@modelyard/contracts";
import { PlatformError, timestamp } from "../foundation/index.ts";

/** A tenant. */
export interface Workspace {
  readonly id: string;
  readonly name: string;
  readonly createdAtMs: number;
  readonly quotas: Quotas;
}

/** Quotas to change; what is left out stays. */
export type QuotaChanges = { readonly [Quota in keyof Quotas]?: Quotas[Quota] | undefined };

/** The quotas of a fresh workspace: those that are given; the rest is not bounded. */
export const quotasWith = (given: QuotaChanges): Quotas => ({
  storageBytesMax: given.storageBytesMax ?? null,
  activeRunsMax: given.activeRunsMax ?? null,
  endpointsMax: given.endpointsMax ?? null,
});

/** A workspace as it goes over the wire. */
export const toWorkspace = ({ name, createdAtMs, quotas }: Workspace, usage: Usage): WireWorkspace => ({
  name,
  createdAt: timestamp(createdAtMs),
  quotas,
  usage,
});

const things: Readonly<
  Record<keyof Usage, { readonly quota: keyof Quotas; readonly what: string; readonly remedy: string }>
> = {
  storageBytes: { quota: "storageBytesMax", what: "bytes of data and models", remedy: "Delete old versions" },
  activeRuns: { quota: "activeRunsMax", what: "runs at the same time", remedy: "Wait for one, or cancel one" },
  endpoints: { quota: "endpointsMax", what: "endpoints", remedy: "Delete one" },
};

/**
 * Refuses what would exceed a quota.
 * @param added How much is to be added to what is used.
 * @throws PlatformError `quota-exceeded` that says quota, use and way out.
 */
export const checkQuota = (
  { quotas, usage }: { readonly quotas: Quotas; readonly usage: Usage },
  thing: keyof Usage,
  added: number,
): void => {
  const { quota, what, remedy } = things[thing];
  const most = quotas[quota];
  if (most === null || usage[thing] + added <= most) return;
  throw new PlatformError(
    "quota-exceeded",
    `The workspace may have ${most} ${what} and has ${usage[thing]}. ${remedy}, or ask for a higher quota.`,
  );
};
