import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtemp, open, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { openAsBlob } from "node:fs";
import { randomLlama, writeGguf } from "@modelyard/learn";
import { peerPython } from "../peer-environment.ts";
import { startBenchPlatform } from "../platform.ts";
import { type BenchIo, type Measurement, median, type Scenario } from "./scenario.ts";

/** 85 M parameters, as large as GPT-2 small: weights beyond the caches, minutes beyond nobody's patience. */
const shape = {
  name: "random-85m",
  contextLength: 512,
  embeddingLength: 768,
  feedForwardLength: 2048,
  blocks: 12,
  heads: 12,
  keyValueHeads: 4,
};
const streamCounts = [1, 2, 4, 8, 16] as const;
const tokensPerStream = 32;
const rounds = 3;
const [ownName, peerName] = ["modelyard", "llama-cpp-python"];

interface Server {
  readonly name: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

const writeModel = async (file: string): Promise<void> => {
  const handle = await open(file, "w");
  for (const piece of writeGguf(randomLlama({ shape, vocabularySize: 16_384, encoding: "F16", seed: 1 }))) {
    await handle.writeFile(piece);
  }
  await handle.close();
};

/** One stream: tokens that came, by their events. */
const stream = async ({ url, headers }: Server, index: number): Promise<number> => {
  const response = await fetch(`${url}/v1/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({
      model: "llm",
      // A prompt of its own each time: an answer out of a prefix cache measures nothing.
      prompt: `${randomUUID()} begins stream ${index}`,
      max_tokens: tokensPerStream,
      temperature: 0.8,
      seed: index,
      stream: true,
      logit_bias: { 2: -100 },
    }),
  });
  if (!response.ok || response.body === null) throw new Error(`${response.status}: ${await response.text()}`);
  let text = "";
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) text += chunk;
  return text.split("\n").filter((line) => line.startsWith("data: {")).length;
};

const tokensPerSecond = async (server: Server, streams: number): Promise<number> => {
  const startMs = performance.now();
  await Promise.all(Array.from({ length: streams }, (_, index) => stream(server, index)));
  return (streams * tokensPerStream * 1000) / (performance.now() - startMs);
};

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const probe = createServer();
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });

/** By default a second request ends the first. */
const oneAfterTheOther = ["--interrupt_requests", "False"];

/** llama-cpp-python's server on the same file; `null` when it cannot be installed. */
const startPeer = async (io: BenchIo, file: string): Promise<(Server & AsyncDisposable) | null> => {
  const python = await peerPython("llamacpp", io);
  if (python === undefined) return null;
  const port = await freePort();
  const args = ["-m", "llama_cpp.server", "--model", file, "--model_alias", "llm", "--port", String(port)];
  const child = spawn(python, [...args, "--n_ctx", "512", "--n_threads", "1", ...oneAfterTheOther], {
    stdio: "ignore",
  });
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; tries < 600 && child.exitCode === null; tries++) {
    const answer = await fetch(`${url}/v1/models`).catch(() => null);
    if (answer?.ok === true) break;
    await delay(100);
  }
  return { name: peerName, url, headers: {}, [Symbol.asyncDispose]: async () => void child.kill("SIGKILL") };
};

const metric = (text: string, name: string): number =>
  Number(new RegExp(`^${name}\\{gen_ai_request_model="llm"\\} (\\d+)`, "m").exec(text)?.[1] ?? 0);

interface Rates {
  /** Tokens per second by server, then by number of streams. */
  readonly rates: Record<string, Record<number, number>>;
  readonly sequencesPerDecode: Record<number, number>;
}

/** Loads all servers in turns, so that what else the machine does meets each of them. */
const compare = async (servers: readonly Server[], metrics: () => Promise<string>, io: BenchIo): Promise<Rates> => {
  const rates: Rates["rates"] = {};
  const sequencesPerDecode: Record<number, number> = {};
  for (const streams of streamCounts) {
    const runs: Record<string, number[]> = {};
    const before = await metrics();
    for (let round = 0; round < rounds; round++) {
      for (const server of servers) (runs[server.name] ??= []).push(await tokensPerSecond(server, streams));
    }
    const after = await metrics();
    const grown = (name: string): number => metric(after, name) - metric(before, name);
    sequencesPerDecode[streams] =
      grown("modelyard_language_decoded_sequences_total") / grown("modelyard_language_decodes_total");
    for (const [name, values] of Object.entries(runs)) (rates[name] ??= {})[streams] = median(values);
    io.log(`${streams} streams: ${JSON.stringify(runs)}, ${sequencesPerDecode[streams]} sequences a decode`);
  }
  return { rates, sequencesPerDecode };
};

const rateOf = ({ rates }: Rates, server: string, streams: number): number => rates[server]?.[streams] ?? Number.NaN;

const ratiosOf = (measured: Rates): Measurement["ratios"] => {
  const own = (streams: number): number => rateOf(measured, ownName, streams);
  const overPeer = (streams: number): number => own(streams) / rateOf(measured, peerName, streams);
  const beside = measured.rates[peerName] !== undefined;
  return {
    ...(beside
      ? { at1OverPeer: { value: overPeer(1), atLeast: 1 }, at8OverPeer: { value: overPeer(8), atLeast: 1.3 } }
      : { peerMissing: { value: 0, atLeast: 1 } }),
    sequencesPerDecodeAt8: { value: (measured.sequencesPerDecode[8] ?? 0) / 8, atLeast: 0.9 },
    risesFrom1To8: { value: own(8) / own(1), atLeast: 1.5 },
  };
};

/** Tokens per second of streamed completions, beside the server that Python users take, on the same weights. */
export const scenario: Scenario = {
  name: "llm",
  summary: "tokens per second at 1 to 16 streams beside llama-cpp-python's server, and sequences per decode",
  run: async (io) => {
    await using resources = new AsyncDisposableStack();
    const folder = await mkdtemp(join(tmpdir(), "modelyard-llm-"));
    resources.defer(() => rm(folder, { recursive: true, force: true }));
    const file = join(folder, "llm.gguf");
    io.log("writing a random model of 85 M parameters");
    await writeModel(file);
    const { yard, apiKey, supervisor } = resources.use(await startBenchPlatform());
    await yard.models.register("llm", {}, { name: "llm.gguf", content: await openAsBlob(file) });
    await yard.endpoints.create({ name: "llm", model: "llm@champion" });
    while ((await yard.v1.models()).data.length === 0) await delay(100);
    const own: Server = { name: ownName, url: supervisor.url, headers: { authorization: `Bearer ${apiKey}` } };
    const peer = await startPeer(io, file);
    if (peer !== null) resources.use(peer);
    const servers = peer === null ? [own] : [own, peer];
    for (const server of servers) await tokensPerSecond(server, 1);
    const measured = await compare(servers, () => yard.system.metrics(), io);
    return { figures: { ...measured, tokensPerStream, rounds }, ratios: ratiosOf(measured) };
  },
};
