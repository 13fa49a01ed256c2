/**
 * The same lesson as a service: a running Modelyard takes the data, trains, deploys and answers for an image.
 * Run: modelyard up, and beside it: node examples/fashion-through-sdk.ts [--quick]
 */
import { readFile } from "node:fs/promises";
import { conv2d, dense, flatten, input, maxPooling2d, rescaling, sequential } from "@modelyard/learn";
import { Modelyard, ModelyardError } from "@modelyard/sdk";

const data = new URL("data/", import.meta.url);
const quick = process.argv.includes("--quick");
const labels = "T-shirt/top Trouser Pullover Dress Coat Sandal Shirt Sneaker Bag Ankle-boot".split(" ");

/** The key of the environment, or the one that a platform on this machine laid down for its owner. */
const findKey = async (): Promise<string> =>
  process.env["MODELYARD_API_KEY"] ??
  (await readFile(`${process.env["MODELYARD_DATA"] ?? ".modelyard"}/admin.key`, "utf8")).trim();

const yard = new Modelyard({ url: process.env["MODELYARD_URL"] ?? "http://127.0.0.1:8642", apiKey: await findKey() });

// Data: the files carry their parts in their names. The quick way takes the 10,000 test images alone and splits them.
const parts = quick ? ["t10k"] : ["train", "t10k"];
const names = parts.flatMap((part) => [`${part}-images-idx3-ubyte.gz`, `${part}-labels-idx1-ubyte.gz`]);
const files = await Promise.all(
  names.map(async (name) => ({
    name,
    content: Uint8Array.from(await readFile(new URL(`fashion-mnist/${name}`, data))),
  })),
);
const split = quick
  ? ({ by: "stratified", train: 0.8, validation: 0, test: 0.2 } as const)
  : ({ by: "given" } as const);
let dataset = "";
for await (const event of yard.datasets.import("fashion", { format: "idx", labels, split }, files)) {
  if (event.type === "completed") dataset = `${event.version.dataset}@${event.version.version}`;
}
console.log(`data: ${dataset}`);

// Training: the definition is plain data, as `learn` writes it.
const definition = sequential([
  input({ shape: [28, 28, 1] }),
  rescaling({ scale: 1 / 255 }),
  conv2d({ filters: 32, kernelSize: 3, activation: "relu" }),
  maxPooling2d({ poolSize: 2 }),
  flatten(),
  dense({ units: 64, activation: "relu" }),
  dense({ units: 10, activation: "softmax" }),
]);
const started = await yard.runs.start({ experiment: "fashion", dataset, definition, epochs: 1, batchSize: 32 });
const run = await yard.runs.wait(started.id, (event) => {
  if (event.type === "epoch") console.log(`epoch ${event.epoch}/${event.epochs}:`, event.metrics);
});
if (run.registered === null) throw new Error(`the run ${run.state}: ${run.reason?.detail ?? "no reason given"}`);
const { model, version } = run.registered;
console.log(`model: ${model}@${version}`);

// Service: the endpoint follows the alias; moving it rolls the replicas over.
await yard.models.alias(model, "champion", { version });
await yard.endpoints.create({ name: "fashion", model: `${model}@champion` }).catch((error: unknown) => {
  if (!(error instanceof ModelyardError) || error.code !== "already-exists") throw error;
});
for (;;) {
  const endpoint = await yard.endpoints.show("fashion");
  if (endpoint.state === "ready" && endpoint.version === version) break;
  if (endpoint.state === "failed") throw new Error("the endpoint failed; `modelyard endpoints show fashion` says why");
  await new Promise((done) => setTimeout(done, 100));
}

const image = Uint8Array.from(await readFile(new URL("ankle-boot.png", data)));
const answer = await yard.endpoints.predict("fashion", { image });
console.log("prediction:", answer.predictions[0]);
