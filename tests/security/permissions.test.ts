import { allOperations, allows, type Operation, type Scope, scopes } from "@modelyard/contracts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestPlatform, type TestPlatform } from "../kit/platform.ts";

let platform: TestPlatform;
const keys = new Map<Scope, string>();
let revoked: string;
let expired: string;

beforeAll(async () => {
  platform = await startTestPlatform();
  const { yard } = platform;
  for (const scope of scopes) {
    const { key } = await yard.keys.create({ name: scope.replace(":", "-").concat("-only"), scopes: [scope] });
    keys.set(scope, key);
  }
  const gone = await yard.keys.create({ name: "gone", scopes: ["admin"] });
  revoked = gone.key;
  await yard.keys.revoke(gone.id);
  const old = await yard.keys.create({ name: "old", scopes: ["admin", "installation"] });
  expired = old.key;
  await yard.keys.rotate(old.id, { overlapHours: 0 });
});
afterAll(() => platform[Symbol.asyncDispose]());

const fillIn: Readonly<Record<string, string>> = {
  name: "absent",
  version: "1",
  alias: "champion",
  id: `run_${"0".repeat(26)}`,
};

const call = async (
  operation: Operation,
  authorization: string | undefined,
): Promise<{ status: number; code: unknown }> => {
  const path = operation.path.replaceAll(/\{(\w+)\}/g, (_, field: string) =>
    operation.id.startsWith("keys.") && field === "id" ? `key_${"0".repeat(26)}` : (fillIn[field] ?? "x"),
  );
  const response = await fetch(platform.url + path, {
    method: operation.method,
    headers: {
      ...(authorization === undefined ? {} : { authorization }),
      ...(operation.body.kind === "json" ? { "content-type": "application/json" } : {}),
    },
    ...(operation.body.kind === "json" ? { body: "{}" } : {}),
  });
  const text = await response.text();
  const problem = response.headers.get("content-type")?.startsWith("application/problem+json") === true;
  return { status: response.status, code: problem ? (JSON.parse(text) as { code: unknown }).code : null };
};

const guarded = allOperations.filter(({ scope }) => scope !== "public");

describe("every guarded operation of the table", () => {
  it("is one of many", () => expect(guarded.length).toBeGreaterThan(30));

  it.each(guarded.map((operation) => [`${operation.method} ${operation.path}`, operation] as const))(
    "%s",
    async (_, operation) => {
      const wrongKeys = [
        undefined,
        "Bearer nonsense",
        `Basic ${platform.apiKey}`,
        `Bearer ${platform.apiKey.slice(0, -1)}x`,
        `Bearer ${revoked}`,
        `Bearer ${expired}`,
      ];
      for (const authorization of wrongKeys) {
        expect(await call(operation, authorization)).toEqual({ status: 401, code: "unauthenticated" });
      }
      for (const [scope, key] of keys) {
        const { status, code } = await call(operation, `Bearer ${key}`);
        const allowed = allows([scope], operation.scope);
        expect({ scope, forbidden: status === 403 && code === "forbidden" }).toEqual({ scope, forbidden: !allowed });
        expect(status).not.toBe(401);
        expect(status).not.toBe(500);
      }
    },
  );
});

describe("public operations", () => {
  it.each(
    allOperations.filter(({ scope }) => scope === "public").map((operation) => [operation.id, operation] as const),
  )("%s answers without a key", async (_, operation) => expect((await call(operation, undefined)).status).toBe(200));
});

describe("what lies between the processes", () => {
  it.each([
    "/internal/routing",
    "//internal/routing",
    "/%69nternal/routing",
    "/internal/../internal/routing",
    "/INTERNAL/routing",
  ])("%s is nowhere on the public port, not even with the family's header", async (path) => {
    const response = await fetch(platform.url + path, {
      headers: { authorization: `Bearer ${platform.apiKey}`, "x-modelyard-internal": "1" },
    });
    expect(response.status).toBe(404);
  });

  it("a key cannot hand on more than it holds", async () => {
    const response = await fetch(`${platform.url}/api/v1/keys`, {
      method: "POST",
      headers: { authorization: `Bearer ${keys.get("keys:write") ?? ""}`, "content-type": "application/json" },
      body: JSON.stringify({ name: "more", scopes: ["admin"] }),
    });
    expect(response.status).toBe(403);
  });

  it("a revoked key stops predicting at once, though the gateway had proved it before", async () => {
    const { yard, url } = platform;
    const made = await yard.keys.create({ name: "short-lived", scopes: ["predict"] });
    const ask = async (): Promise<number> =>
      (await fetch(`${url}/v2/models/absent`, { headers: { authorization: `Bearer ${made.key}` } })).status;
    const endMs = performance.now() + 5000;
    while ((await ask()) !== 404 && performance.now() < endMs);
    expect(await ask()).toBe(404);
    await yard.keys.revoke(made.id);
    while ((await ask()) !== 401 && performance.now() < endMs);
    expect(await ask()).toBe(401);
  });
});
