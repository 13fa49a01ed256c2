import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { AuditRecord } from "@modelyard/contracts";
import { Modelyard } from "@modelyard/sdk";
import { afterAll, beforeAll, expect, it } from "vitest";
import { runCommand } from "../kit/command-line.ts";
import { deploy, importTable, startTestPlatform, type TestPlatform, train, until } from "../kit/platform.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform[Symbol.asyncDispose]());

const audit = (...args: string[]) =>
  runCommand(["audit", ...args, "--json"], {
    environment: { MODELYARD_URL: platform.url, MODELYARD_API_KEY: platform.apiKey },
  });

const records = async (): Promise<AuditRecord[]> => (await platform.yard.audit.list({ limit: 500 })).items;

it("holds every change of the whole way, who made it and under which operation", async () => {
  const { yard } = platform;
  await importTable(yard, "table");
  await train(yard, { dataset: "table", epochs: 1 });
  await train(yard, { dataset: "table", epochs: 2 });
  await deploy(yard, "table");
  await yard.models.alias("table", "champion", { version: 2 });
  const key = await yard.keys.create({ name: "ci", scopes: ["predict"] });
  await yard.keys.revoke(key.id);
  await yard.endpoints.delete("table");
  const changes = (await records()).map(({ operation, outcome, subject }) => `${operation} ${outcome} ${subject}`);
  for (const change of [
    "datasets.import created datasets/table/versions/1",
    "runs.start created runs/",
    "platform created models/table/versions/1",
    "platform created models/table/aliases/champion",
    "models.alias changed models/table/aliases/champion",
    "endpoints.create created endpoints/table",
    "endpoints.delete deleted endpoints/table",
    `keys.create created keys/${key.id}`,
    `keys.revoke changed keys/${key.id}`,
  ]) {
    expect(changes.some((text) => text.startsWith(change))).toBe(true);
  }
  const moved = (await records()).find(({ operation }) => operation === "models.alias");
  expect(moved).toMatchObject({ actor: { name: "admin" }, requestId: expect.any(String) as string });
});

it("holds every refused request; a flood of equal ones is one record with their number", async () => {
  const { yard, url } = platform;
  const { key } = await yard.keys.create({ name: "narrow", scopes: ["predict"] });
  const narrow = new Modelyard({ url, apiKey: key });
  for (let i = 0; i < 25; i++) await narrow.keys.list().catch(() => undefined);
  await fetch(`${url}/api/v1/models`, { headers: { authorization: "Bearer nonsense" } });
  const denied = async () => (await records()).filter(({ outcome }) => outcome === "denied");
  const total = async () =>
    (await denied()).filter(({ operation }) => operation === "keys.list").reduce((sum, { count }) => sum + count, 0);
  await until(async () => (await total()) === 25, 5000);
  expect((await denied()).length).toBeLessThan(10);
  expect((await denied()).find(({ operation }) => operation === "models.list")).toMatchObject({
    actor: null,
    subject: "unauthenticated",
  });
});

it("says what was live at any moment", async () => {
  const { yard } = platform;
  const { items } = await yard.models.aliasHistory("table", "champion");
  const [second, first] = items;
  const at = async (moment: string) => (await yard.models.live("table", { at: moment })).items;
  expect(await at(first?.at ?? "")).toMatchObject([{ alias: "champion", version: 1 }]);
  expect(await at(second?.at ?? "")).toMatchObject([{ alias: "champion", version: 2 }]);
  expect(await at(new Date(Date.parse(first?.at ?? "") - 1).toISOString())).toEqual([]);
});

it("is proved by `audit verify`, and any hand in the database is found", async () => {
  const whole = await audit("verify");
  expect({ code: whole.code, verdict: JSON.parse(whole.out) as unknown }).toMatchObject({
    code: 0,
    verdict: { flaw: null },
  });
  const database = new DatabaseSync(join(platform.supervisor.directory.root, "modelyard.db"));
  try {
    expect(() => database.exec("update audit_records set record = '{}' where sequence = 3")).toThrow(/never changed/);
    const { last = 0 } = database.prepare("select max(sequence) as last from audit_records").get() ?? {};
    database.prepare("delete from audit_records where sequence = ?").run(last);
  } finally {
    database.close();
  }
  const cut = await audit("verify");
  expect({ code: cut.code, verdict: JSON.parse(cut.out) as unknown }).toMatchObject({
    code: 1,
    verdict: { flaw: { problem: expect.stringMatching(/cut off|rewritten/) as string } },
  });
});
