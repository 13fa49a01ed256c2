import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CommandResult, runCommand } from "../kit/command-line.ts";
import { startTestPlatform, type TestPlatform } from "../kit/platform.ts";

const execute = promisify(execFile);

let platform: TestPlatform;
let folder: string;
const run = (...args: string[]): Promise<CommandResult> =>
  runCommand(args, { environment: { MODELYARD_URL: platform.url, MODELYARD_API_KEY: platform.apiKey } });
/** Runs a command with `--json` and returns its document. */
const json = async (...args: string[]): Promise<unknown> => {
  const { code, out, err } = await run(...args, "--json");
  expect({ args, code, err }).toMatchObject({ code: 0, err: "" });
  return JSON.parse(out) as unknown;
};

const definition = {
  kind: "sequential",
  layers: [
    { layer: "Input", shape: [2] },
    { layer: "Dense", units: 8, activation: "relu" },
    { layer: "Dense", units: 2, activation: "softmax" },
  ],
};

beforeAll(async () => {
  platform = await startTestPlatform();
  folder = await mkdtemp(join(tmpdir(), "modelyard-cli-"));
  const rows = Array.from({ length: 200 }, (_, i) => {
    const [a, b] = [Math.sin(i * 12.9) * 2, Math.sin(i * 78.2) * 2];
    return `${a},${b},${a + b > 0 ? "high" : "low"}`;
  });
  await writeFile(join(folder, "t.csv"), `a,b,y\n${rows.join("\n")}\n`);
  await writeFile(join(folder, "net.json"), JSON.stringify(definition));
});
afterAll(async () => {
  await platform[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

describe("the whole way by commands", () => {
  it("imports, trains, deploys, predicts and takes down again, each step as JSON too", async () => {
    const imported = await json("datasets", "import", "t", join(folder, "t.csv"), "--target", "y");
    expect(imported).toMatchObject({ created: true, version: { dataset: "t", version: 1, rows: 200 } });
    expect(await json("datasets", "list")).toMatchObject({ items: [{ name: "t", versions: 1 }] });
    expect(await json("datasets", "show", "t")).toMatchObject({ version: { target: "y" }, profile: {} });

    const start = ["runs", "start", "--experiment", "t", "--dataset", "t@1", "--definition", join(folder, "net.json")];
    const first = (await json(...start, "--epochs", "2", "--watch")) as { id: string };
    expect(first).toMatchObject({ state: "succeeded", registered: { model: "t", version: 1 } });
    await json(...start, "--epochs", "3", "--seed", "2", "--watch");
    expect(await json("runs", "list")).toMatchObject({ items: [{ state: "succeeded" }, { id: first.id }] });
    expect(await json("runs", "show", first.id)).toMatchObject({
      id: first.id,
      evaluation: { kind: "classification" },
    });
    expect(await json("runs", "watch", first.id)).toMatchObject({ state: "succeeded" });
    expect(await json("runs", "logs", first.id)).toHaveProperty("items");

    expect(await json("models", "list")).toMatchObject({ items: [{ name: "t", versions: 2 }] });
    expect(await json("models", "show", "t@champion")).toMatchObject({ version: 1 });
    expect(await json("models", "compare", "t@1", "t@2")).toHaveProperty("metrics");
    expect(await json("models", "alias", "t", "champion", "2")).toMatchObject({ from: 1, to: 2 });
    expect(await json("models", "alias", "t", "champion")).toMatchObject({ items: [{ to: 2 }, { to: 1 }] });
    const file = join(folder, "t.onnx");
    await json("models", "export", "t@2", "--output", file);
    expect((await readFile(file)).length).toBeGreaterThan(100);

    expect(await json("endpoints", "create", "t", "--model", "t@champion")).toMatchObject({
      state: "ready",
      version: 2,
    });
    expect(await json("endpoints", "list")).toMatchObject({ items: [{ name: "t" }] });
    expect(await json("endpoints", "show", "t")).toMatchObject({ name: "t", state: "ready" });
    expect(await json("predict", "t", '{"a": 1, "b": 1}')).toMatchObject({ model: "t", version: 2 });
    expect(await json("endpoints", "delete", "t")).toEqual({ deleted: "t" });
  });

  it("prints for people what it prints as JSON for programs, without colours in a pipe", async () => {
    const { out, code } = await run("datasets", "show", "t");
    expect(code).toBe(0);
    expect(out).toContain("t@1  200 rows");
    // eslint-disable-next-line no-control-regex
    expect(out).not.toMatch(/\u001b\[/);
  });

  it("makes, lists and revokes keys, and shows a secret once", async () => {
    const made = (await json("keys", "create", "ci", "--scopes", "predict")) as { id: string; key: string };
    expect(made.key).toMatch(/^my_/);
    const { out } = await run("keys", "list");
    expect(out).toContain("ci");
    expect(out).not.toContain(made.key);
    const environment = { MODELYARD_URL: platform.url, MODELYARD_API_KEY: made.key };
    expect((await runCommand(["datasets", "list"], { environment })).code).toBe(4);
    expect(await json("keys", "revoke", made.id)).toMatchObject({ id: made.id });
  });

  it("shows settings, versions and the machine's health", async () => {
    expect(await json("config")).toMatchObject({ port: { origin: "default", variable: "MODELYARD_PORT" } });
    expect(await json("version")).toHaveProperty("modelyard");
    const { checks } = (await json("doctor")) as { checks: { check: string; ok: boolean }[] };
    const healthy = checks.filter(({ ok }) => ok).map(({ check }) => check);
    // What Node's version says depends on the machine.
    expect(healthy).toEqual(
      expect.arrayContaining(["execution engine", "data directory", "clock", "platform", "API key"]),
    );
  });
});

describe("mistakes end with a code, the next step and a stable exit code", () => {
  it.each<[string, string[], number, RegExp]>([
    ["an unknown command", ["bogus"], 2, /error\[usage\]: unknown command 'bogus'.*--help/],
    ["a missing argument", ["datasets", "import"], 2, /error\[usage\]: missing required argument 'name'/],
    ["an unknown option", ["runs", "list", "--frob"], 2, /error\[usage\]: unknown option '--frob'/],
    [
      "a number that is none",
      ["quickstart", "--epochs", "x"],
      2,
      /error\[usage\]:.*--epochs.*'x' is invalid\. Give a whole number/,
    ],
    ["a file that is not there", ["datasets", "import", "a", "/nowhere/x.csv"], 2, /error\[file-unreadable\]/],
    ["a file of an unknown kind", ["datasets", "import", "a", "/etc/hostname"], 2, /error\[usage\].*--format/],
    ["an absent dataset", ["datasets", "show", "absent@1"], 1, /error\[not-found\]/],
    ["an absent model", ["models", "show", "absent"], 1, /error\[not-found\]/],
    ["an absent endpoint", ["predict", "absent", "{}"], 1, /error\[not-found\]/],
    ["JSON that is none", ["predict", "t", "{oops"], 2, /error\[usage\].*JSON/],
    ["an address that is none", ["runs", "list", "--url", "nope"], 2, /error\[usage\].*address/],
    [
      "nobody at the address",
      ["runs", "list", "--url", "http://127.0.0.1:1"],
      3,
      /error\[server-unreachable\].*modelyard up/,
    ],
    ["a wrong key", ["runs", "list", "--api-key", "my_wrong"], 4, /error\[unauthenticated\]/],
  ])("%s", async (_, args, exitCode, message) => {
    const { code, err, out } = await run(...args);
    expect({ code, err, out }).toMatchObject({ code: exitCode, out: "" });
    expect(err).toMatch(message);
    expect(err).not.toMatch(/\bat .*\.ts:\d+/);
  });

  it("says a mistake as JSON where JSON was asked for", async () => {
    const { code, out } = await run("models", "show", "absent", "--json");
    expect({ code, error: JSON.parse(out) as unknown }).toMatchObject({
      code: 1,
      error: { error: { code: "not-found" } },
    });
    const usage = await run("runs", "list", "--frob", "--json");
    expect(JSON.parse(usage.out)).toMatchObject({ error: { code: "usage" } });
  });

  it("needs no key to say that none was found", async () => {
    const { code, err } = await runCommand(["runs", "list"], { environment: { MODELYARD_DATA: folder } });
    expect(code).toBe(4);
    expect(err).toMatch(/error\[key-missing\].*modelyard up/);
  });
});

describe("shell completion", () => {
  it.each(["bash", "zsh"])("is a script that %s can read, and names every command", async (shell) => {
    const { out, code } = await run("completion", shell);
    expect(code).toBe(0);
    for (const word of ["quickstart", "datasets", "endpoints", "--watch"]) expect(out).toContain(word);
    const file = join(folder, `completion.${shell}`);
    await writeFile(file, out);
    // zsh reads bash's completions; bash checks the syntax of both.
    await execute("bash", ["-n", file]);
  });

  it("completes in a real bash", async () => {
    const { out } = await run("completion", "bash");
    const file = join(folder, "completion.sh");
    await writeFile(file, out);
    const ask = `source ${file}; COMP_WORDS=(modelyard runs sh); COMP_CWORD=2; _modelyard; echo "\${COMPREPLY[@]}"`;
    expect((await execute("bash", ["-c", ask])).stdout.trim()).toBe("show");
  });
});
