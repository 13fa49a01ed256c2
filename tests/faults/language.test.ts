import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { deployBabyLlama } from "../kit/babyllama.ts";
import { startTestPlatform, type TestPlatform, until } from "../kit/platform.ts";

let platform: TestPlatform;

beforeAll(async () => {
  // One text at a time: whoever holds the place, keeps the others waiting.
  platform = await startTestPlatform({ MODELYARD_LANGUAGE_SEQUENCES_MAX: "1" });
  await deployBabyLlama(platform.yard, "baby", { contextLength: 2048 });
});
afterAll(() => platform[Symbol.asyncDispose]());

const ask = (body: object, signal?: AbortSignal): Promise<Response> =>
  fetch(`${platform.url}/v1/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${platform.apiKey}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "baby", prompt: "Once upon a time", temperature: 0.9, ...body }),
    ...(signal === undefined ? {} : { signal }),
  });
/** Never ends by itself before its last token: the end token is forbidden. */
const endless = { max_tokens: 2000, logit_bias: { 2: -100 } };

const killReplica = async (): Promise<void> => {
  const [replica] = await platform.supervisor.family.observe("replicas");
  process.kill(replica?.pid ?? 0, "SIGKILL");
};

describe("an engine that is killed", () => {
  it("ends streams that began with an error event, and answers again", async () => {
    const response = await ask({ ...endless, stream: true });
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    let text = "";
    for (let i = 0; i < 5; i++) text += Buffer.from((await reader.read()).value ?? []).toString();
    await killReplica();
    for (let next = await reader.read(); !next.done; next = await reader.read())
      text += Buffer.from(next.value).toString();
    const events = text.split("\n\n").filter(Boolean);
    expect(JSON.parse(events.at(-1)?.replace("data: ", "") ?? "")).toMatchObject({
      error: { code: "replica_failed", type: "unavailable_error" },
    });
    expect(text).not.toContain("[DONE]");
    const again = await ask({ max_tokens: 3 });
    expect(again.status).toBe(200);
  });

  it("repeats requests whose clients have no byte yet", async () => {
    // Without chance, so that the answer of a repeated request can be told to be the whole one.
    const request = { ...endless, max_tokens: 1500, temperature: 0 };
    const textOf = async (response: Response): Promise<unknown> => {
      expect(response.status).toBe(200);
      return ((await response.json()) as { choices: { text: string }[] }).choices[0]?.text;
    };
    const whole = await textOf(await ask(request));
    const answer = ask(request);
    await new Promise((done) => setTimeout(done, 300));
    await killReplica();
    expect(await textOf(await answer)).toBe(whole);
  });
});

describe("clients that do not behave", () => {
  const untilAnswered = async (): Promise<number> => {
    const startMs = performance.now();
    const response = await ask({ max_tokens: 1 });
    expect(response.status).toBe(200);
    return performance.now() - startMs;
  };

  it("who goes away frees the model's time within a second", async () => {
    const abort = new AbortController();
    const response = await ask({ ...endless, stream: true }, abort.signal);
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    await reader.read();
    abort.abort();
    expect(await untilAnswered()).toBeLessThan(1000);
  });

  it("who goes away while waiting in the queue leaves it", async () => {
    const holder = new AbortController();
    const held = await ask({ ...endless, stream: true }, holder.signal);
    await (held.body as ReadableStream<Uint8Array>).getReader().read();
    const leavers = Array.from({ length: 20 }, () => {
      const abort = new AbortController();
      const gone = ask({ ...endless, stream: true }, abort.signal).catch(() => null);
      setTimeout(() => abort.abort(), 100);
      return gone;
    });
    await Promise.all(leavers);
    holder.abort();
    expect(await untilAnswered()).toBeLessThan(1000);
  });

  it("who never reads holds nobody up", async () => {
    const { hostname, port } = new URL(platform.url);
    const socket = connect(Number(port), hostname);
    const body = JSON.stringify({
      model: "baby",
      prompt: "Once",
      stream: true,
      max_tokens: 400,
      logit_bias: { 2: -100 },
    });
    socket.pause();
    socket.write(
      `POST /v1/completions HTTP/1.1\r\nhost: ${hostname}:${port}\r\nauthorization: Bearer ${platform.apiKey}\r\n` +
        `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
    await new Promise((done) => setTimeout(done, 100));
    // Its 400 tokens are generated and wait for it in the gateway; the next one gets its turn.
    await until(async () => (await ask({ max_tokens: 1 })).status === 200, 20_000);
    socket.destroy();
  });
});
