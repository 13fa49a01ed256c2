import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Failpoints } from "../kit/failpoints.ts";
import { withFolder } from "../kit/folder.ts";
import { makeOldStore, markNewer, migrationCount, readStore, statementsFrom } from "../kit/old-store.ts";
import { startTestPlatform } from "../kit/platform.ts";
import { exactly, type FaultScenario } from "./scenario.ts";

/** Migrations that the older version had. */
const oldMigrations = 1;

/** Whether a start that dies at one statement of a migration ends with the whole schema and all that was there. */
const survives = (nth: number): Promise<boolean> =>
  withFolder(async (folder) => {
    const data = join(folder, "data");
    makeOldStore(data, oldMigrations);
    const failpoints = new Failpoints(join(folder, "failpoints"));
    failpoints.arm("migration.statement", `kill@${nth}`);
    await using platform = await startTestPlatform(failpoints.environment, data);
    const answers = (await platform.yard.system.whoami()).key.name === "admin";
    const { migrations, workspaces } = readStore(data);
    const copied = readdirSync(data).some((name) => /^modelyard\.db\.before-\d{4}-/.test(name));
    return (
      answers &&
      failpoints.hit("migration.statement") &&
      migrations.length === migrationCount &&
      workspaces.includes("kept") &&
      copied
    );
  });

/** Whether a store of a newer version is refused with the reason, and left as it is. */
const refusesNewer = (): Promise<boolean> =>
  withFolder(async (folder) => {
    await (await startTestPlatform({}, folder))[Symbol.asyncDispose]();
    markNewer(folder);
    const before = readStore(folder);
    const refusal = await startTestPlatform({}, folder).then(
      async (platform) => {
        await platform[Symbol.asyncDispose]();
        return "";
      },
      (error: Error) => error.message,
    );
    const after = readStore(folder);
    return (
      refusal.includes("9999-of-tomorrow") && before.migrations.join() === after.migrations.join() && existsSync(folder)
    );
  });

/** Dies at statements of the migrations from an older store, and meets a newer one. */
export const scenario: FaultScenario = {
  id: "F21",
  name: "migrations",
  summary: "kill -9 at each statement of the migrations resumes; a copy is taken before; a newer store is refused",
  counts: { ci: 3, full: statementsFrom(oldMigrations) },
  run: async (io) => {
    const statements = statementsFrom(oldMigrations);
    const survived: number[] = [];
    for (let i = 0; i < io.count; i++) {
      const nth = io.count >= statements ? i + 1 : 1 + Math.floor(io.random() * statements);
      if (await survives(nth)) survived.push(nth);
      io.log(`killed at statement ${nth} of ${statements}`);
    }
    const refused = await refusesNewer();
    return {
      checks: { resumed: exactly(survived.length / io.count, 1), newerRefused: exactly(refused ? 1 : 0, 1) },
      figures: { statements, survived },
    };
  },
};
