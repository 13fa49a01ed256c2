import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  deploy,
  importTable,
  startTestPlatform,
  startTraining,
  type TestPlatform,
  train,
  until,
} from "../kit/platform.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform();
  await importTable(platform.yard, "table");
});
afterAll(() => platform[Symbol.asyncDispose]());

describe("from data to a service", () => {
  it("trains, evaluates, registers, deploys and predicts", async () => {
    const { yard } = platform;
    const run = await train(yard, { dataset: "table", epochs: 20 });
    expect(run).toMatchObject({ state: "succeeded", registered: { model: "table", version: 1 } });
    expect(run.evaluation).toMatchObject({ kind: "classification", split: "test", rows: 40 });
    expect(run.evaluation?.kind === "classification" && run.evaluation.accuracy).toBeGreaterThan(0.85);
    const version = await yard.models.version("table", 1);
    expect(version).toMatchObject({
      aliases: ["champion"],
      artefact: { lineage: { dataset: "table@1", run: run.id, seed: 1 } },
    });
    const endpoint = await deploy(yard, "table");
    expect(endpoint).toMatchObject({ version: 1, desiredVersion: 1 });
    const answer = await yard.endpoints.predict("table", {
      inputs: [
        { a: 1.5, b: 1 },
        { a: -1.5, b: -1 },
      ],
    });
    expect(answer).toMatchObject({ endpoint: "table", model: "table", version: 1 });
    expect(answer.predictions.map(({ label }) => label)).toEqual(["high", "low"]);
  });

  it("answers tensors as the Open Inference Protocol says, equal to the friendly answer", async () => {
    const { yard } = platform;
    expect(await yard.v2.model("table")).toMatchObject({
      name: "table",
      versions: ["1"],
      platform: "onnxruntime_onnx",
    });
    const friendly = await yard.endpoints.predict("table", { input: { a: 0.25, b: -0.5 } });
    const tensors = await yard.v2.infer("table", {
      id: "42",
      inputs: [{ name: "x", shape: [1, 2], datatype: "FP32", data: [0.25, -0.5] }],
    });
    expect(tensors).toMatchObject({ model_name: "table", model_version: "1", id: "42" });
    const { categories = [] } = (await yard.datasets.show("table", 1)).columns.find(({ name }) => name === "y") as {
      categories?: string[];
    };
    const expected = categories.map((label) => friendly.predictions[0]?.probabilities?.[label]);
    expect(tensors.outputs[0]?.data).toEqual(expected);
  });

  it.each([
    [
      "a dtype that the model does not take",
      { name: "x", shape: [1, 2], datatype: "INT32", data: [1, 2] },
      /"x".*FP32.*INT32/,
    ],
    [
      "a shape that does not fit",
      { name: "x", shape: [1, 3], datatype: "FP32", data: [1, 2, 3] },
      /"x".*\[-1, 2\].*\[1,3\]/,
    ],
    ["too few values", { name: "x", shape: [2, 2], datatype: "FP32", data: [1, 2] }, /"x".*4 values, but 2/],
    ["an input that the model does not have", { name: "z", shape: [1, 2], datatype: "FP32", data: [1, 2] }, /"z".*x/],
  ] as const)("says which input is wrong, what was expected and what came: %s", async (_, tensor, message) => {
    const request = platform.yard.v2.infer("table", {
      inputs: [{ ...tensor, shape: [...tensor.shape], data: [...tensor.data] }],
    });
    await expect(request).rejects.toMatchObject({
      code: "tensor-invalid",
      status: 422,
      message: expect.stringMatching(message) as string,
    });
  });

  it("names the column or category that a prediction's row gets wrong", async () => {
    const { endpoints } = platform.yard;
    await expect(endpoints.predict("table", { input: { a: 1, c: 2 } })).rejects.toMatchObject({
      code: "prediction-input-invalid",
      message: expect.stringContaining('"c"') as string,
    });
    await expect(endpoints.predict("table", { input: { a: "x", b: 2 } })).rejects.toMatchObject({
      code: "prediction-input-invalid",
      message: expect.stringContaining('"a" takes a number') as string,
    });
    await expect(endpoints.predict("table", { image: new Uint8Array([1, 2, 3]) })).rejects.toMatchObject({
      code: "unsupported-media-type",
    });
    await expect(endpoints.predict("absent", { input: {} })).rejects.toMatchObject({ code: "not-found", status: 404 });
  });

  it("repeats a training exactly: same data, same seed, same graph", async () => {
    const { yard } = platform;
    const again = await train(yard, { dataset: "table", epochs: 20 });
    const [first, second] = [
      await yard.models.version("table", 1),
      await yard.models.version("table", again.registered?.version ?? 0),
    ];
    expect(second.version).toBe(2);
    expect(second.artefact.graph).toEqual(first.artefact.graph);
    const comparison = await yard.models.compare("table", { a: 1, b: 2 });
    expect(comparison.metrics.every(({ difference }) => difference === 0)).toBe(true);
    expect(comparison.changes.map(({ path }) => path)).toEqual(["lineage.run"]);
  });

  it("rolls over to the version that the alias names, without a failed request, and remembers the move", async () => {
    const { yard } = platform;
    await train(yard, { dataset: "table", seed: 9 });
    const asking = new AbortController();
    const versions = new Set<number>();
    const ask = async (): Promise<number> => {
      let answers = 0;
      for (; !asking.signal.aborted; answers++)
        versions.add((await yard.endpoints.predict("table", { input: { a: 1, b: 1 } })).version);
      return answers;
    };
    const clients = [ask(), ask(), ask(), ask()];
    await yard.models.alias("table", "champion", { version: 3 });
    await until(() => versions.has(3), 20_000);
    await until(async () => (await yard.endpoints.show("table")).state === "ready", 20_000);
    await until(async () => (await yard.endpoints.show("table")).replicas.length === 1, 20_000);
    asking.abort();
    // Every request of every client was answered, or this throws.
    expect((await Promise.all(clients)).every((answers) => answers > 0)).toBe(true);
    expect([...versions]).toEqual([1, 3]);
    const history = await yard.models.aliasHistory("table", "champion");
    expect(history.items.map(({ from, to }) => [from, to])).toEqual([
      [1, 3],
      [null, 1],
    ]);
  });

  it("refuses a definition that does not fit before anything is queued", async () => {
    const { yard } = platform;
    const before = (await yard.runs.list()).items.length;
    const start = (layers: { layer: string; [argument: string]: unknown }[]) =>
      yard.runs.start({ experiment: "bad", dataset: "table@1", definition: { kind: "sequential", layers } });
    await expect(start([{ layer: "Input", shape: [2] }, { layer: "Magic" }])).rejects.toMatchObject({
      code: "layer-unknown",
    });
    await expect(
      start([
        { layer: "Input", shape: [2] },
        { layer: "Dense", units: -1 },
      ]),
    ).rejects.toMatchObject({ code: "layer-invalid" });
    const absent = yard.runs.start({
      experiment: "bad",
      dataset: "nothing@1",
      definition: { kind: "sequential", layers: [{ layer: "Input" }] },
    });
    await expect(absent).rejects.toMatchObject({ code: "not-found" });
    expect((await yard.runs.list()).items).toHaveLength(before);
  });

  it("stops a run whose loss is no number, and says at which step", async () => {
    const { yard } = platform;
    const run = await yard.runs.wait(
      (
        await yard.runs.start({
          experiment: "diverging",
          dataset: "table@1",
          definition: {
            kind: "sequential",
            layers: [
              { layer: "Input", shape: [2] },
              { layer: "Dense", units: 64 },
              { layer: "Dense", units: 2 },
            ],
          },
          loss: { name: "sparse_categorical_crossentropy", fromLogits: true },
          optimizer: { name: "sgd", learningRate: 1e30 },
        })
      ).id,
    );
    expect(run).toMatchObject({
      state: "failed",
      reason: { code: "loss-not-finite", detail: expect.stringMatching(/step \d+/) as string },
    });
  });

  it("cancels a training after a checkpoint and resumes it to its end", async () => {
    const { yard } = platform;
    const { id } = await startTraining(yard, { dataset: "table", epochs: 4000 });
    await until(async () => (await yard.runs.show(id)).progress !== null, 20_000);
    await yard.runs.cancel(id);
    expect(await yard.runs.wait(id)).toMatchObject({ state: "canceled", reason: { code: "canceled" } });
    await expect(yard.runs.cancel(id)).rejects.toMatchObject({ code: "run-state-conflict" });
    await yard.runs.resume(id);
    await until(async () => (await yard.runs.show(id)).state === "running", 20_000);
    await until(
      async () => (await yard.runs.logs(id)).items.some(({ message }) => message.includes("Going on from")),
      20_000,
    );
    await yard.runs.cancel(id);
    expect((await yard.runs.wait(id)).state).toBe("canceled");
  });
});

describe("the model repository extension", () => {
  const stateOf = async (): Promise<string | undefined> =>
    (await platform.yard.v2.repositoryIndex({})).find(({ name }) => name === "table")?.state;

  it("unloads an endpoint and loads it again; the name stays", async () => {
    const { yard } = platform;
    expect(await stateOf()).toBe("READY");
    await yard.v2.repositoryUnload("table", {});
    await until(async () => (await stateOf()) === "UNAVAILABLE", 20_000);
    expect((await yard.endpoints.show("table")).state).toBe("unloaded");
    await expect(yard.endpoints.predict("table", { input: { a: 1, b: 1 } })).rejects.toMatchObject({
      code: "endpoint-not-ready",
      status: 503,
    });
    expect(await yard.v2.repositoryIndex({ ready: true })).toEqual([]);
    await yard.v2.repositoryLoad("table", {});
    await until(async () => (await stateOf()) === "READY", 20_000);
    // The gateway learns of it a moment later.
    const answers = () =>
      yard.endpoints.predict("table", { input: { a: 1, b: 1 } }).then(
        ({ predictions }) => predictions.length === 1,
        () => false,
      );
    await until(answers, 5000);
  });

  it("takes neither files nor configurations from a request", async () => {
    const response = await fetch(`${platform.url}/v2/repository/models/table/load`, {
      method: "POST",
      headers: { authorization: `Bearer ${platform.apiKey}` },
      body: JSON.stringify({ parameters: { "file:1/model.onnx": "AAAA" } }),
    });
    expect(response.status).toBe(415);
    const json = await fetch(`${platform.url}/v2/repository/models/table/load`, {
      method: "POST",
      headers: { authorization: `Bearer ${platform.apiKey}`, "content-type": "application/json" },
      body: JSON.stringify({ parameters: { config: "{}" } }),
    });
    expect(json.status).toBe(422);
    expect(await json.json()).toHaveProperty("error");
  });
});
