import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { babyLlama, deployBabyLlama } from "../kit/babyllama.ts";
import { startTestPlatform, type TestPlatform, until } from "../kit/platform.ts";

let platform: TestPlatform;
let client: OpenAI;

beforeAll(async () => {
  platform = await startTestPlatform();
  await deployBabyLlama(platform.yard, "baby");
  await deployBabyLlama(platform.yard, "long", { contextLength: 2048 });
  client = new OpenAI({ baseURL: `${platform.url}/v1`, apiKey: platform.apiKey, maxRetries: 0 });
});
afterAll(() => platform[Symbol.asyncDispose]());

const post = (path: string, body: unknown): Promise<Response> =>
  fetch(`${platform.url}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${platform.apiKey}`, "content-type": "application/json" },
    body: typeof body === "string" || body instanceof Uint8Array ? (body as BodyInit) : JSON.stringify(body),
  });

describe("a language model as a service", () => {
  it("is registered with what it is and needs", async () => {
    const version = await platform.yard.models.version("baby", 1);
    expect(version.artefact.languageModel).toMatchObject({
      architecture: "llama",
      contextLength: 256,
      quantization: "F32",
      parameters: 1_015_424,
    });
  });

  it("continues a text in English", async () => {
    const answer = await client.completions.create({
      model: "baby",
      prompt: "Once upon a time",
      temperature: 0,
      max_tokens: 100,
    });
    expect(answer.choices[0]?.text).toMatch(/^, there was a little girl named Lily\. She loved to play outside/);
    expect(answer.usage).toMatchObject({ prompt_tokens: 18, completion_tokens: 100 });
  });

  it("streams a chat whose pieces are the whole", async () => {
    const request = {
      model: "baby",
      messages: [{ role: "user" as const, content: "Once upon a time" }],
      temperature: 0,
      max_tokens: 60,
    };
    const whole = await client.chat.completions.create(request);
    const pieces = [];
    for await (const chunk of await client.chat.completions.create({ ...request, stream: true })) {
      pieces.push(chunk.choices[0]?.delta.content ?? "");
    }
    expect(pieces.length).toBeGreaterThan(20);
    expect(pieces.join("")).toBe(whole.choices[0]?.message.content);
  });
});

describe("schemas and tools", () => {
  const schema = {
    type: "object",
    properties: { name: { type: "string", maxLength: 10 }, age: { type: "integer", minimum: 1, maximum: 99 } },
    required: ["name", "age"],
    additionalProperties: false,
  };
  const tools = [
    {
      type: "function" as const,
      function: {
        name: "weather",
        parameters: { ...schema, properties: { city: { type: "string", maxLength: 10 } }, required: ["city"] },
      },
    },
  ];
  const messages = [{ role: "user" as const, content: "Lily asks about the weather" }];

  it("answers in the schema that was asked for", async () => {
    const answer = await client.chat.completions.create({
      model: "long",
      messages,
      response_format: { type: "json_schema", json_schema: { name: "person", schema, strict: true } },
    });
    const value = JSON.parse(answer.choices[0]?.message.content ?? "") as { name: string; age: number };
    expect(Object.keys(value)).toEqual(["name", "age"]);
    expect(value.age).toBeGreaterThanOrEqual(1);
    expect(value.age).toBeLessThanOrEqual(99);
  });

  it("calls a tool with arguments that fit, streamed and whole", async () => {
    const request = { model: "long", messages, tools, tool_choice: "required" as const, parallel_tool_calls: false };
    const whole = await client.chat.completions.create(request);
    const [call] = whole.choices[0]?.message.tool_calls ?? [];
    expect(whole.choices[0]?.finish_reason).toBe("tool_calls");
    expect(call).toMatchObject({ type: "function", function: { name: "weather" } });
    const given = call?.type === "function" ? call.function.arguments : "";
    expect(JSON.parse(given)).toHaveProperty("city");
    // The client's own helper insists on names, types and order of the deltas.
    const runner = client.chat.completions.stream({ ...request, seed: 5 });
    const final = await runner.finalChatCompletion();
    expect(final.choices[0]).toMatchObject({
      finish_reason: "tool_calls",
      message: { tool_calls: [{ type: "function", function: { name: "weather" } }] },
    });
  });

  it("speaks Anthropic's messages", async () => {
    const request = {
      model: "long",
      max_tokens: 30,
      messages: [{ role: "user", content: "Once upon a time" }],
      temperature: 0,
    };
    const answer = (await (await post("/v1/messages", request)).json()) as Record<string, unknown>;
    expect(answer).toMatchObject({
      type: "message",
      role: "assistant",
      stop_reason: "max_tokens",
      usage: { output_tokens: 30 },
    });
    expect(answer["content"]).toEqual([{ type: "text", text: expect.stringMatching(/^, there was/) as string }]);
    const counted = await (await post("/v1/messages/count_tokens", { ...request, max_tokens: undefined })).json();
    expect(counted).toEqual({ input_tokens: 18 });
    const streamed = await (await post("/v1/messages", { ...request, stream: true })).text();
    const names = [...streamed.matchAll(/^event: (\w+)$/gm)].map(([, name]) => name);
    expect(names.slice(0, 3)).toEqual(["message_start", "content_block_start", "content_block_delta"]);
    expect(names.slice(-3)).toEqual(["content_block_stop", "message_delta", "message_stop"]);
    const tool = { name: "weather", input_schema: tools[0]?.function.parameters };
    const called = await (
      await post("/v1/messages", {
        ...request,
        max_tokens: 500,
        tools: [tool],
        tool_choice: { type: "any", disable_parallel_tool_use: true },
      })
    ).json();
    expect(called).toMatchObject({ stop_reason: "tool_use", content: [{ type: "tool_use", name: "weather" }] });
    const refused = await post("/v1/messages", { ...request, max_tokens: 100_000 });
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({ type: "error", error: { type: "invalid_request_error" } });
  });
});

describe("bad input", () => {
  const messages = [{ role: "user", content: "Once" }];
  it.each<[string, unknown, number, string]>([
    ["an unknown model", { model: "absent", messages }, 404, "model_not_found"],
    ["no model", { messages }, 400, "invalid_input"],
    ["no JSON", "{", 400, "malformed_json"],
    ["bytes that are no UTF-8", Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d), 400, "malformed_json"],
    ["a wrong role", { model: "baby", messages: [{ role: "wizard", content: "x" }] }, 400, "invalid_input"],
    ["no messages", { model: "baby", messages: [] }, 400, "invalid_input"],
    [
      "a prompt of 10 MB",
      { model: "baby", messages: [{ role: "user", content: "a".repeat(10_000_000) }] },
      400,
      "context_length_exceeded",
    ],
    ["a huge max_tokens", { model: "baby", messages, max_tokens: 2 ** 31 }, 400, "context_length_exceeded"],
    ["too many choices", { model: "baby", messages, n: 129 }, 400, "invalid_input"],
    ["a temperature of 3", { model: "baby", messages, temperature: 3 }, 400, "invalid_input"],
    ["21 alternatives", { model: "baby", messages, logprobs: true, top_logprobs: 21 }, 400, "invalid_input"],
    ["a bias for no token", { model: "baby", messages, logit_bias: { 99999: 1 } }, 400, "prompt_invalid"],
    [
      "stream options without a stream",
      { model: "baby", messages, stream_options: { include_usage: true } },
      400,
      "prompt_invalid",
    ],
    [
      "a schema that cannot be compiled",
      { model: "baby", messages, response_format: { type: "json_schema", json_schema: { schema: { not: {} } } } },
      400,
      "prompt_invalid",
    ],
    [
      "a tool without a name",
      { model: "baby", messages, tools: [{ type: "function", function: { name: "" } }] },
      400,
      "invalid_input",
    ],
    [
      "a choice of no tool",
      { model: "baby", messages, tools: [], tool_choice: { type: "function", function: { name: "x" } } },
      400,
      "prompt_invalid",
    ],
    [
      "an image for a model of text",
      { model: "baby", messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "x" } }] }] },
      400,
      "invalid_input",
    ],
  ])("%s is refused in the client's form", async (_, body, status, code) => {
    const response = await post("/v1/chat/completions", body);
    const answer = (await response.json()) as { error: { message: string; code: string; type: string } };
    expect({ status: response.status, code: answer.error.code }).toEqual({ status, code });
    expect(answer.error.message.length).toBeGreaterThan(20);
    expect(response.headers.get("x-should-retry")).toBe("false");
  });

  it("a template that never ends is stopped, and the next request is answered", async () => {
    const yard = platform.yard;
    const template = "{% for i in range(100000) %}{% for j in range(100000) %}{{ j }}{% endfor %}{% endfor %}";
    const content = babyLlama({ chatTemplate: template });
    await yard.models.register("endless", {}, { name: "endless.gguf", content });
    await yard.endpoints.create({ name: "endless", model: "endless@champion" });
    await until(async () => (await yard.v1.models()).data.some(({ id }) => id === "endless"), 30_000);
    const response = await post("/v1/chat/completions", { model: "endless", messages });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: "prompt_invalid" } });
    const next = await post("/v1/completions", { model: "endless", prompt: "Once", max_tokens: 3 });
    expect(next.status).toBe(200);
    await yard.endpoints.delete("endless");
  });

  it("a damaged GGUF file is refused, and nothing of it stays", async () => {
    const file = babyLlama();
    for (const content of [
      file.slice(0, 5000),
      file.slice(0, file.length - 64),
      Uint8Array.of(0x47, 0x47, 0x55, 0x46),
    ]) {
      await expect(platform.yard.models.register("damaged", {}, { name: "x.gguf", content })).rejects.toMatchObject({
        code: "gguf-invalid",
        status: 422,
      });
    }
    await expect(platform.yard.models.show("damaged")).rejects.toMatchObject({ code: "not-found" });
  });

  it("a language model is no endpoint for tensors", async () => {
    await expect(platform.yard.endpoints.predict("baby", { input: [1] })).rejects.toMatchObject({
      code: "not-supported",
    });
  });
});

describe("modelyard chat", () => {
  it("answers one message and tells the token rate", async () => {
    const bin = fileURLToPath(new URL("../../packages/cli/bin/modelyard.js", import.meta.url));
    const args = [bin, "chat", "baby", "--message", "Once upon a time", "--temperature", "0", "--max-tokens", "40"];
    const child = spawn(process.execPath, [...args, "--url", platform.url, "--api-key", platform.apiKey]);
    let [out, err] = ["", ""];
    child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
    const code = await new Promise((done) => child.once("close", done));
    expect({ code, out }).toEqual({ code: 0, out: ", there was a little girl named Lily. Sh\n" });
    expect(err).toMatch(/18 \+ 40 tokens, first after \d+ ms, [\d.]+ tokens\/s/);
  });
});

describe("what the gateway measures", () => {
  it("tokens by model and key, and times", async () => {
    await post("/v1/completions", { model: "baby", prompt: "Once", max_tokens: 7, temperature: 0, stream: true }).then(
      (r) => r.text(),
    );
    const text = await (
      await fetch(`${platform.url}/metrics`, { headers: { authorization: `Bearer ${platform.apiKey}` } })
    ).text();
    expect(text).toMatch(
      /gen_ai_client_token_usage_total\{gen_ai_request_model="baby",gen_ai_token_type="output",key="[^"]+"\} \d+/,
    );
    expect(text).toMatch(/gen_ai_server_time_to_first_token_seconds_count\{gen_ai_request_model="baby"/);
  });
});
