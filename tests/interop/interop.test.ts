import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { peerPython } from "../../bench/peer-environment.ts";
import { datatypes } from "../kit/data-plane.ts";
import { identityModel } from "../kit/identity-model.ts";
import { startTestPlatform, type TestPlatform, until } from "../kit/platform.ts";

/** What one case of a client came to. */
interface CaseResult {
  readonly client: string;
  readonly name: string;
  readonly error: string | null;
}

const serve = async ({ yard }: TestPlatform): Promise<void> => {
  const port = (datatype: (typeof datatypes)[number]) => ({ name: datatype.toLowerCase(), datatype, shape: ["n", 3] });
  const models: [string, Uint8Array<ArrayBuffer>][] = [
    ["every", identityModel(datatypes.map(port))],
    ["floats", identityModel([port("FP32")])],
    ...datatypes.map((datatype): [string, Uint8Array<ArrayBuffer>] => [
      `only-${datatype.toLowerCase()}`,
      identityModel([port(datatype)]),
    ]),
  ];
  for (const [name, content] of models) {
    await yard.models.register(name, {}, { name: `${name}.onnx`, content });
    await yard.endpoints.create({ name, model: `${name}@champion` });
  }
  await until(
    async () => (await yard.endpoints.list({ limit: 100 })).items.every(({ state }) => state === "ready"),
    120_000,
  );
};

const runClients = async (
  python: string,
  file: string,
  { url, apiKey, supervisor }: TestPlatform,
): Promise<CaseResult[]> => {
  const script = fileURLToPath(new URL(file, import.meta.url));
  const environment = { MODELYARD_URL: url, MODELYARD_GRPC: supervisor.grpcAddress, MODELYARD_API_KEY: apiKey };
  const child = spawn(python, [script], {
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const results: CaseResult[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith("{")) results.push(JSON.parse(line) as CaseResult);
  }
  return results;
};

const cache = fileURLToPath(new URL("../../.bench/", import.meta.url));
const python = await peerPython("interop", { cache, log: console.log });
if (python === undefined) throw new Error("The clients cannot be installed: Python 3 and a package index are needed.");
const results: CaseResult[] = [];
{
  await using platform = await startTestPlatform();
  await serve(platform);
  for (const file of ["triton_clients.py", "kserve_clients.py"])
    results.push(...(await runClients(python, file, platform)));
}

test("every client was tried", () => {
  const counts = Object.fromEntries(
    [...Map.groupBy(results, ({ client }) => client)].map(([client, cases]) => [
      client,
      `${cases.filter(({ error }) => error === null).length} of ${cases.length}`,
    ]),
  );
  console.log(counts);
  expect(Object.keys(counts)).toHaveLength(6);
  expect(results.length).toBeGreaterThan(90);
});

describe.each([...Map.groupBy(results, ({ client }) => client)])("%s", (_, cases) => {
  test.each(cases.map(({ name, error }) => [name, error] as const))("%s", (__, error) => expect(error).toBeNull());
});
