import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { gzipSync } from "node:zlib";
import type { ErrorCode, ImportDataset, StartRun } from "@modelyard/contracts";
import { isErrorCode } from "@modelyard/contracts";
import { ModelyardError } from "@modelyard/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodePng } from "../../packages/platform/src/datasets/decode-image.ts";
import { runCommand } from "../kit/command-line.ts";
import { withFolder } from "../kit/folder.ts";
import { deploy, importTable, startTestPlatform, type TestPlatform, train } from "../kit/platform.ts";

/** What a caller sees of a refusal. */
interface Refusal {
  /** HTTP status; `null` for the last event of an import, whose answer had begun. */
  readonly status: number | null;
  readonly code: string;
  readonly detail: string;
}

/** A wrong input, and the refusal that it must meet. */
interface Case {
  readonly name: string;
  readonly send: () => Promise<Refusal>;
  readonly code: ErrorCode;
  readonly detail: RegExp;
}

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform();
  await importTable(platform.yard, "table");
  await train(platform.yard, { dataset: "table", epochs: 5 });
  await deploy(platform.yard, "table");
  await importImages("tiny", imageFiles(60));
  const run = await platform.yard.runs.start({
    experiment: "tiny",
    dataset: "tiny@1",
    definition: {
      kind: "sequential",
      layers: [{ layer: "Flatten" }, { layer: "Dense", units: 2, activation: "softmax" }],
    },
  });
  await platform.yard.runs.wait(run.id);
  await deploy(platform.yard, "tiny");
});
afterAll(() => platform[Symbol.asyncDispose]());

type Bytes = Uint8Array<ArrayBuffer>;

const text = (content: string): Bytes => new TextEncoder().encode(content);

/** Bytes of an IDX file of unsigned bytes. */
const idx = (shape: readonly number[], values: Bytes): Bytes => {
  const head = Buffer.alloc(4 + shape.length * 4);
  head.writeUInt32BE(0x0800 + shape.length, 0);
  for (const [axis, size] of shape.entries()) head.writeUInt32BE(size, 4 + axis * 4);
  return Buffer.concat([head, values]);
};

const imageFiles = (rows: number, labels = rows) => [
  {
    name: "train-images-idx3-ubyte",
    content: idx(
      [rows, 4, 4],
      new Uint8Array(rows * 16).map((_, i) => i * 7),
    ),
  },
  {
    name: "train-labels-idx1-ubyte",
    content: idx(
      [labels],
      new Uint8Array(labels).map((_, i) => i % 2),
    ),
  },
];

type Files = Parameters<TestPlatform["yard"]["datasets"]["import"]>[2];

const importImages = async (name: string, files: Files): Promise<void> => {
  const split = { by: "random", train: 0.8, validation: 0.1, test: 0.1, seed: 1 } as const;
  for await (const _ of platform.yard.datasets.import(name, { format: "idx", split }, files));
};

/** Everything that stays on disk and in the tables, apart from the record of who asked for what. */
const world = (): unknown => {
  const { blobs, runs, database } = platform.supervisor.directory;
  const files = (folder: string): string[] =>
    existsSync(folder) ? (readdirSync(folder, { recursive: true }) as string[]).toSorted() : [];
  using open = new DatabaseSync(database, { readOnly: true });
  const tables = open
    .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'audit%' ORDER BY name")
    .all()
    .map(({ name }) => String(name));
  const counts = tables.map((name) => [name, open.prepare(`SELECT count(*) AS n FROM "${name}"`).get()?.["n"]]);
  return { blobs: files(blobs), runs: files(runs), counts: Object.fromEntries(counts) as unknown };
};

const importing =
  (options: ImportDataset, files: Files): Case["send"] =>
  async () => {
    try {
      for await (const event of platform.yard.datasets.import("bad", options, files)) {
        if (event.type === "failed") return { status: null, code: event.code, detail: event.detail };
      }
    } catch (error) {
      if (error instanceof ModelyardError) return { status: error.status, code: error.code, detail: error.message };
      throw error;
    }
    throw new Error("the import was not refused");
  };

const request =
  (method: string, path: string, init: { body?: Uint8Array | string; type?: string; key?: string | null } = {}) =>
  async (): Promise<Refusal> => {
    const { body, type = "application/json", key = platform.apiKey } = init;
    const answer = await fetch(new URL(path, platform.url), {
      method,
      headers: { "content-type": type, ...(key === null ? {} : { authorization: `Bearer ${key}` }) },
      ...(body === undefined ? {} : { body: body as BodyInit }),
    });
    const problem = (await answer.json()) as { code?: string; detail?: string; error?: string };
    return { status: answer.status, code: problem.code ?? "", detail: problem.detail ?? problem.error ?? "" };
  };

const post = (path: string, body: unknown): Case["send"] => request("POST", path, { body: JSON.stringify(body) });

const csv = (content: string, options: Partial<ImportDataset> = {}): Case["send"] =>
  importing({ format: "csv", ...options }, [{ name: "t.csv", content: text(content) }]);

const idxFile = (content: Bytes): Case["send"] =>
  importing({ format: "idx" }, [{ name: "train-images-idx3-ubyte", content }]);

const pixels = { data: new Uint8Array(48).map((_, i) => i * 5), height: 4, width: 4, channels: 3 };
const png: Bytes = Uint8Array.from(await encodePng(pixels));

const half = (bytes: Bytes): Bytes => bytes.subarray(0, bytes.length >> 1);
const wholeIdx = imageFiles(50)[0]?.content ?? new Uint8Array();

const datasetCases: Case[] = [
  {
    name: "an IDX file with a wrong magic number",
    send: idxFile(text("PK\u0003\u0004 this is no IDX file")),
    code: "idx-invalid",
    detail: /train-images-idx3-ubyte/,
  },
  {
    name: "an IDX file that ends too early",
    send: idxFile(half(wholeIdx)),
    code: "idx-invalid",
    detail: /train-images/,
  },
  {
    name: "a truncated gzip stream",
    send: idxFile(half(gzipSync(Buffer.from(wholeIdx).map((byte, i) => byte ^ (i * 89))))),
    code: "gzip-invalid",
    detail: /train-images-idx3-ubyte is damaged or ends too early/,
  },
  {
    name: "images and labels of different number",
    send: importing({ format: "idx" }, imageFiles(10, 9)),
    code: "dataset-mismatch",
    detail: /10.*9|9.*10/,
  },
  {
    name: "a NumPy file without its magic string",
    send: importing({ format: "npy" }, [{ name: "x.npy", content: text("no numpy file at all") }]),
    code: "npy-invalid",
    detail: /x\.npy/,
  },
  {
    name: "a ragged CSV row",
    send: csv("a,b\n1,2\n3,4,5\n"),
    code: "csv-ragged",
    detail: /t\.csv, line 3: expected 2 fields.*got 3/,
  },
  { name: "a CSV file that is no text", send: csv("a,b\n\u0000,2\n"), code: "csv-invalid", detail: /UTF-8/ },
  {
    name: "a number that is none",
    send: csv("a,y\nx1,0\n", { kinds: { a: "number" } }),
    code: "csv-invalid",
    detail: /Column a.*row 1 holds "x1"/,
  },
  {
    name: "a target that is no column",
    send: csv("a,b\n1,2\n", { target: "c" }),
    code: "column-unknown",
    detail: /"c" is no column.*a, b/,
  },
  { name: "a table without rows", send: csv("a,b\n"), code: "dataset-empty", detail: /no rows/ },
  {
    name: "shares that do not sum to one",
    send: csv("a,b\n1,2\n", { split: { by: "random", train: 0.9, validation: 0.9, test: 0, seed: 1 } }),
    code: "split-invalid",
    detail: /sum to 1/,
  },
  {
    name: "an image that does not decode",
    send: importing({ format: "image-folder" }, [
      { name: "pets/cat/1.png", content: png },
      { name: "pets/dog/1.png", content: half(png) },
    ]),
    code: "image-undecodable",
    detail: /dog\/1\.png/,
  },
];

const layers = (...list: { layer: string; [argument: string]: unknown }[]): StartRun["definition"] => ({
  kind: "sequential",
  layers: list,
});
const softmax = { layer: "Dense", units: 2, activation: "softmax" };

const starting = (change: object): Case["send"] =>
  post("/api/v1/runs", { experiment: "bad", dataset: "table@1", definition: layers(softmax), ...change });

const runCases: Case[] = [
  { name: "a dataset that is not there", send: starting({ dataset: "none@1" }), code: "not-found", detail: /none@1/ },
  {
    name: "a feature that is no column",
    send: starting({ features: ["z"] }),
    code: "column-unknown",
    detail: /"z".*a, b/,
  },
  {
    name: "the target among the features",
    send: starting({ features: ["a", "y"] }),
    code: "shape-mismatch",
    detail: /target "y" is among the features/,
  },
  {
    name: "a feature named twice",
    send: starting({ features: ["a", "a"] }),
    code: "shape-mismatch",
    detail: /"a" stands twice/,
  },
  {
    name: "a slice by numbers",
    send: starting({ slices: ["a"] }),
    code: "shape-mismatch",
    detail: /sliced by "a", which holds number/,
  },
  {
    name: "an unknown layer",
    send: starting({ definition: layers({ layer: "Magic" }, softmax) }),
    code: "layer-unknown",
    detail: /"Magic".*Known kinds: Input, Dense/,
  },
  {
    name: "an argument that a layer does not take",
    send: starting({ definition: layers({ layer: "Dense", units: -3 }) }),
    code: "layer-invalid",
    detail: /Dense "dense".*"units"/,
  },
  {
    name: "an Input that does not fit the data",
    send: starting({ definition: layers({ layer: "Input", shape: [3] }, softmax) }),
    code: "shape-mismatch",
    detail: /\[3\].*\[2\]/,
  },
  {
    name: "layers that do not fit each other",
    send: starting({ definition: layers({ layer: "Conv2D", filters: 2, kernelSize: 3 }, softmax) }),
    code: "shape-mismatch",
    detail: /Conv2D/,
  },
  {
    name: "a last layer that does not fit the target",
    send: starting({ definition: layers({ layer: "Dense", units: 5 }) }),
    code: "shape-mismatch",
    detail: /"y" has 2 classes.*5 values/,
  },
  {
    name: "a preprocessing step for another kind of column",
    send: starting({ preprocessing: [{ step: "one_hot", columns: ["a"] }] }),
    code: "preprocessing-invalid",
    detail: /one_hot works on category columns, but "a" holds a number/,
  },
  { name: "an unknown loss", send: starting({ loss: "wishful" }), code: "loss-invalid", detail: /wishful/ },
  {
    name: "an unknown optimizer",
    send: starting({ optimizer: "magic" }),
    code: "optimizer-invalid",
    detail: /"name".*Known optimizers: sgd/,
  },
  { name: "an unknown metric", send: starting({ metrics: ["beauty"] }), code: "metric-invalid", detail: /beauty/ },
  { name: "a field out of its range", send: starting({ epochs: 0 }), code: "invalid-input", detail: /epochs/ },
  {
    name: "an unknown preprocessing step",
    send: starting({ preprocessing: [{ step: "guess" }] }),
    code: "invalid-input",
    detail: /preprocessing/,
  },
  {
    name: "malformed JSON",
    send: request("POST", "/api/v1/runs", { body: '{"experiment": "bad",' }),
    code: "malformed-json",
    detail: /not valid JSON/,
  },
];

const predicting = (input: unknown, endpoint = "table"): Case["send"] =>
  post(`/api/v1/endpoints/${endpoint}/predict`, { input });

const inferring = (tensor: object): Case["send"] =>
  post("/v2/models/table/infer", { inputs: [{ name: "x", shape: [1, 2], datatype: "FP32", data: [1, 2], ...tensor }] });

const predictionCases: Case[] = [
  {
    name: "a wrong datatype",
    send: inferring({ datatype: "INT32" }),
    code: "tensor-invalid",
    detail: /"x".*FP32.*INT32/,
  },
  {
    name: "a wrong shape",
    send: inferring({ shape: [1, 3], data: [1, 2, 3] }),
    code: "tensor-invalid",
    detail: /"x".*\[-1, ?2\].*\[1, ?3\]/,
  },
  {
    name: "too few values",
    send: inferring({ shape: [2, 2] }),
    code: "tensor-invalid",
    detail: /"x".*4 values, but 2/,
  },
  { name: "an unknown input", send: inferring({ name: "z" }), code: "tensor-invalid", detail: /"z".*x/ },
  {
    name: "an unknown column",
    send: predicting({ a: 1, c: 2 }),
    code: "prediction-input-invalid",
    detail: /no column "c".*a \(number\), b \(number\)/,
  },
  {
    name: "a text for a number",
    send: predicting({ a: "x", b: 2 }),
    code: "prediction-input-invalid",
    detail: /"a" takes a number, but "x" came/,
  },
  { name: "a missing value", send: predicting({ a: 1 }), code: "prediction-input-invalid", detail: /"b" is missing/ },
  {
    name: "a list for a row",
    send: predicting([1, 2]),
    code: "prediction-input-invalid",
    detail: /object with the columns.*array of shape \[2\]/,
  },
  {
    name: "malformed JSON",
    send: request("POST", "/api/v1/endpoints/table/predict", { body: '{"input": ' }),
    code: "malformed-json",
    detail: /not valid JSON/,
  },
  {
    name: "an image for a table",
    send: request("POST", "/api/v1/endpoints/table/predict", { body: png, type: "image/png" }),
    code: "unsupported-media-type",
    detail: /image\/png is none of these/,
  },
  {
    name: "an image that does not decode",
    send: request("POST", "/api/v1/endpoints/tiny/predict", { body: half(png), type: "image/png" }),
    code: "image-undecodable",
    detail: /does not decode/,
  },
  {
    name: "pixels of another shape",
    send: predicting([[1, 2, 3]], "tiny"),
    code: "prediction-input-invalid",
    detail: /4×4×1.*array of shape \[1, 3\]/,
  },
  {
    name: "pixels that were scaled already",
    send: predicting(
      Array.from({ length: 16 }, () => 0.5),
      "tiny",
    ),
    code: "prediction-input-invalid",
    detail: /A pixel is 0\.5.*0 to 255/,
  },
  { name: "an endpoint that is not there", send: predicting({}, "absent"), code: "not-found", detail: /absent/ },
];

const keyCases: Case[] = [
  { name: "no key", send: request("GET", "/api/v1/datasets", { key: null }), code: "unauthenticated", detail: /./ },
  {
    name: "a wrong key",
    send: request("GET", "/api/v1/datasets", { key: "my_wrong" }),
    code: "unauthenticated",
    detail: /./,
  },
  {
    name: "a wrong key at the gateway",
    send: request("POST", "/v2/models/table/infer", { key: "my_wrong", body: "{}" }),
    code: "unauthenticated",
    detail: /./,
  },
  {
    name: "a key without the scope",
    send: async () => {
      const { key } = await platform.yard.keys.create({ name: "reader", scopes: ["datasets:read"] });
      return request("POST", "/api/v1/runs", { key, body: "{}" })();
    },
    code: "forbidden",
    detail: /runs:write/,
  },
];

const statusOf: Partial<Record<ErrorCode, number>> = {
  "malformed-json": 400,
  unauthenticated: 401,
  forbidden: 403,
  "not-found": 404,
  "unsupported-media-type": 415,
};

describe.each([
  ["import", datasetCases],
  ["run", runCases],
  ["prediction", predictionCases],
] as const)("a wrong %s", (_, cases) => {
  it.each([...cases])("is refused with code, cause and page, and leaves nothing behind: $name", async (wrong) => {
    const before = world();
    const refusal = await wrong.send();
    expect(refusal).toMatchObject({ code: wrong.code, detail: expect.stringMatching(wrong.detail) as string });
    if (refusal.status !== null) expect(refusal.status).toBe(statusOf[wrong.code] ?? 422);
    expect(isErrorCode(refusal.code)).toBe(true);
    expect(existsSync(new URL(`../../docs/errors/${refusal.code}.md`, import.meta.url))).toBe(true);
    // Nothing of the inside: no place on disk, no line of the program.
    expect(refusal.detail).not.toMatch(/\/tmp\/|node_modules|\.ts:\d|at \w+ \(/);
    expect(world()).toEqual(before);
  });
});

describe("a wrong key", () => {
  it.each(keyCases)("is refused: $name", async ({ send, code, detail }) => {
    expect(await send()).toMatchObject({
      status: statusOf[code],
      code,
      detail: expect.stringMatching(detail) as string,
    });
  });
});

describe("a loss that becomes no number", () => {
  it("stops the run with its step, keeps the last good checkpoint, and goes on with a lower learning rate", async () => {
    const { yard, supervisor } = platform;
    // Twenty steps an epoch: the eleventh step of the third breaks the weights, and is saved before anyone can know.
    const optimizer = {
      name: "sgd",
      learningRate: { schedule: "piecewise_constant", boundaries: [49], values: [0.05, 1e30] },
    };
    const started = await yard.runs.start({
      experiment: "diverging",
      dataset: "table@1",
      definition: layers({ layer: "Dense", units: 16 }, { layer: "Dense", units: 2 }),
      loss: { name: "sparse_categorical_crossentropy", fromLogits: true },
      optimizer,
      epochs: 5,
      batchSize: 16,
      checkpointEverySteps: 11,
    });
    const failed = await yard.runs.wait(started.id);
    expect(failed).toMatchObject({
      state: "failed",
      registered: null,
      reason: { code: "loss-not-finite", detail: expect.stringMatching(/Epoch 3, step 12: .*Lower/) as string },
    });
    expect((await yard.runs.logs(started.id)).items.map(({ message }) => message)).toEqual(
      expect.arrayContaining([expect.stringContaining("The newest checkpoint led to no number at once")]),
    );
    const kept = readdirSync(join(supervisor.directory.runs, started.id, "checkpoints")).toSorted();
    expect(kept.at(-1)).toMatch(/^000002-0+\.ckpt$/);
    await expect(yard.models.show("diverging")).rejects.toMatchObject({ code: "not-found" });

    await yard.runs.resume(started.id, { learningRate: 0.01 });
    const ended = await yard.runs.wait(started.id);
    expect(ended).toMatchObject({ state: "succeeded", registered: { model: "diverging", version: 1 } });
    expect(ended.evaluation?.kind === "classification" && ended.evaluation.accuracy).toBeGreaterThan(0.85);
    const { lineage } = (await yard.models.version("diverging", 1)).artefact;
    expect(lineage).toMatchObject({ optimizer, resumedLearningRate: 0.01 });
  });
});

describe("a port in use", () => {
  it("ends the start with a code and a way out, and leaves a data directory that can be used", async () => {
    await withFolder(async (folder) => {
      const data = join(folder, "data");
      const port = new URL(platform.url).port;
      const refused = await runCommand(["up", "--data", data, "--port", port]);
      expect(refused.code).toBe(1);
      expect(refused.err).toMatch(new RegExp(`port-in-use[\\s\\S]*Port ${port} .*--port`));
      await using second = await startTestPlatform({}, data);
      expect((await second.yard.datasets.list()).items).toEqual([]);
    });
  });
});
