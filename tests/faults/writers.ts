import { setTimeout as delay } from "node:timers/promises";
import { ModelyardError } from "@modelyard/sdk";
import { importTable, startTraining, type TestPlatform } from "../kit/platform.ts";

/** A kind of write: how it is made, and how often its effect is found. */
interface Writer {
  /** Makes the write called `name`; may be asked to make the same one again. */
  write(platform: TestPlatform, name: string, number: number): Promise<unknown>;
  /** How many times what was written under the name is there. */
  count(platform: TestPlatform, name: string): Promise<number>;
}

/** Writers by kind; all work on the model and dataset `base`. */
const writers: Readonly<Record<string, Writer>> = {
  run: {
    write: ({ yard }, name) => startTraining(yard, { dataset: "base", experiment: name }, { idempotencyKey: name }),
    count: async ({ yard }, experiment) => (await yard.runs.list({ experiment })).items.length,
  },
  alias: {
    write: ({ yard }, name) => yard.models.alias("base", name, { version: 1 }, { idempotencyKey: name }),
    count: async ({ yard }, name) =>
      (await yard.models.aliasHistory("base", name).catch(() => ({ items: [] }))).items.length,
  },
  dataset: {
    write: ({ yard }, name, number) => importTable(yard, name, 20 + number),
    count: async ({ yard }, name) => (await yard.datasets.versions(name).catch(() => ({ items: [] }))).items.length,
  },
  key: {
    write: async ({ yard }, name) => {
      try {
        return await yard.keys.create({ name, scopes: ["runs:read"] });
      } catch (error) {
        // The attempt whose answer was lost has made it.
        if (error instanceof ModelyardError && error.code === "already-exists") return null;
        throw error;
      }
    },
    count: async ({ yard }, wanted) => {
      let [found, after]: [number, string | undefined] = [0, undefined];
      do {
        const page = await yard.keys.list({ limit: 200, ...(after === undefined ? {} : { after }) });
        found += page.items.filter(({ name, revokedAt }) => name === wanted && revokedAt === null).length;
        after = page.next ?? undefined;
      } while (after !== undefined);
      return found;
    },
  },
};

/** What concurrent writers did. */
export interface WriteLog {
  /** Names of acknowledged writes by kind. */
  readonly acknowledged: Readonly<Record<string, string[]>>;
  /** Requests that were sent again because their answer was lost. */
  retries: number;
  /** Failures that no retry can mend. */
  readonly refusals: string[];
}

const retryEveryMs = 40;

const isLost = (error: unknown): boolean =>
  !(error instanceof ModelyardError) || error.retryable || error.code === "internal";

/** Writes one thing, again and again until it is acknowledged. */
const writeUntilAcknowledged = async (write: () => Promise<unknown>, log: WriteLog): Promise<boolean> => {
  for (;;) {
    try {
      await write();
      return true;
    } catch (error) {
      if (!isLost(error)) {
        log.refusals.push(String(error));
        return false;
      }
      log.retries++;
      await delay(retryEveryMs);
    }
  }
};

/** Writers at work. */
export interface Writing {
  /** How many writes of each kind are acknowledged by now. */
  counts(): Readonly<Record<string, number>>;
  /** Settles when all have stopped. */
  readonly done: Promise<WriteLog>;
}

/** Lets one writer of each kind write until the signal; what was begun is finished. */
export const writeUntil = (platform: TestPlatform, signal: AbortSignal, prefix = "w"): Writing => {
  const acknowledged = Object.fromEntries(Object.keys(writers).map((kind) => [kind, [] as string[]]));
  const log: WriteLog = { acknowledged, retries: 0, refusals: [] };
  const work = Object.entries(writers).map(async ([kind, writer]) => {
    for (let number = 0; !signal.aborted; number++) {
      const name = `${prefix}-${kind}-${number}`;
      if (await writeUntilAcknowledged(() => writer.write(platform, name, number), log)) acknowledged[kind]?.push(name);
      await delay(20);
    }
  });
  return {
    counts: () => Object.fromEntries(Object.entries(acknowledged).map(([kind, names]) => [kind, names.length])),
    done: Promise.all(work).then(() => log),
  };
};

/** Compares what was acknowledged with what is there. */
export const auditWrites = async (
  platform: TestPlatform,
  { acknowledged }: WriteLog,
): Promise<{ readonly lost: string[]; readonly doubled: string[] }> => {
  const [lost, doubled]: [string[], string[]] = [[], []];
  for (const [kind, names] of Object.entries(acknowledged)) {
    for (const name of names) {
      const count = (await writers[kind]?.count(platform, name)) ?? 0;
      if (count === 0) lost.push(name);
      if (count > 1) doubled.push(name);
    }
  }
  return { lost, doubled };
};
