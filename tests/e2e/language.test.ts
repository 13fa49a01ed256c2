import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { deployBabyLlama } from "../kit/babyllama.ts";
import { startTestPlatform, type TestPlatform } from "../kit/platform.ts";

let platform: TestPlatform;
let client: OpenAI;

beforeAll(async () => {
  platform = await startTestPlatform();
  await deployBabyLlama(platform.yard, "baby");
  client = new OpenAI({ baseURL: `${platform.url}/v1`, apiKey: platform.apiKey, maxRetries: 0 });
});
afterAll(() => platform[Symbol.asyncDispose]());

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
