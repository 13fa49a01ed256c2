import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { HumanMessage } from "@langchain/core/messages";
import { ChatOpenAI, OpenAIEmbeddings } from "@langchain/openai";
import { embed, generateText, streamText } from "ai";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { deployBabyLlama } from "../kit/babyllama.ts";
import { startTestPlatform, type TestPlatform } from "../kit/platform.ts";

const prompt = "Once upon a time";
const story = /^, there was a little girl named Lily/;

let platform: TestPlatform;
let baseURL: string;

beforeAll(async () => {
  platform = await startTestPlatform();
  await deployBabyLlama(platform.yard, "baby");
  baseURL = `${platform.url}/v1`;
});
afterAll(() => platform[Symbol.asyncDispose]());

describe("openai", () => {
  const client = (): OpenAI => new OpenAI({ baseURL, apiKey: platform.apiKey, maxRetries: 0 });

  it("lists models and shows one", async () => {
    const models = await client().models.list();
    expect(models.data.map(({ id }) => id)).toEqual(["baby"]);
    expect(await client().models.retrieve("baby")).toMatchObject({ id: "baby", object: "model" });
  });

  it("answers a chat with usage, and several choices", async () => {
    const answer = await client().chat.completions.create({
      model: "baby",
      messages: [{ role: "user", content: prompt }],
      temperature: 1,
      seed: 3,
      n: 3,
      max_tokens: 20,
    });
    expect(answer.choices.map(({ index }) => index)).toEqual([0, 1, 2]);
    expect(new Set(answer.choices.map(({ message }) => message.content)).size).toBeGreaterThan(1);
    expect(answer.usage).toMatchObject({ prompt_tokens: 18, completion_tokens: 60, total_tokens: 78 });
  });

  it("streams through its own helper, which insists on roles, finish reasons and order", async () => {
    const runner = client().chat.completions.stream({
      model: "baby",
      messages: [{ role: "user", content: prompt }],
      temperature: 0,
      max_tokens: 40,
      stream_options: { include_usage: true },
    });
    const final = await runner.finalChatCompletion();
    expect(final.choices[0]).toMatchObject({ finish_reason: "length", message: { role: "assistant" } });
    expect(final.choices[0]?.message.content).toMatch(story);
    expect(final.usage).toMatchObject({ completion_tokens: 40 });
  });

  it("gets log probabilities whose tokens are the text", async () => {
    const answer = await client().chat.completions.create({
      model: "baby",
      messages: [{ role: "user", content: prompt }],
      temperature: 0,
      max_tokens: 12,
      logprobs: true,
      top_logprobs: 2,
    });
    const [choice] = answer.choices;
    const tokens = choice?.logprobs?.content ?? [];
    expect(tokens.map(({ token }) => token).join("")).toBe(choice?.message.content);
    expect(tokens.every(({ logprob, top_logprobs }) => logprob <= 0 && top_logprobs.length === 2)).toBe(true);
  });

  it("stops at a text, which is not part of the answer", async () => {
    const answer = await client().chat.completions.create({
      model: "baby",
      messages: [{ role: "user", content: prompt }],
      temperature: 0,
      stop: ["Lily", "Tom"],
    });
    expect(answer.choices[0]).toMatchObject({
      finish_reason: "stop",
      message: { content: ", there was a little girl named " },
    });
  });

  it("decodes embeddings that come as base64 when it asks for nothing, equal to floats", async () => {
    const input = ["The cat", "A dog"];
    const plain = await client().embeddings.create({ model: "baby", input, encoding_format: "float" });
    const packed = await client().embeddings.create({ model: "baby", input });
    expect(packed.data.map(({ embedding }) => embedding)).toEqual(plain.data.map(({ embedding }) => embedding));
    expect(plain.data[0]?.embedding).toHaveLength(128);
  });

  it("throws its own errors: unknown model, bad key, too long, wrong role", async () => {
    const messages = [{ role: "user" as const, content: prompt }];
    await expect(client().chat.completions.create({ model: "absent", messages })).rejects.toMatchObject({
      status: 404,
      code: "model_not_found",
    });
    const stranger = new OpenAI({ baseURL, apiKey: "wrong", maxRetries: 0 });
    await expect(stranger.models.list()).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
    const tooLong = { model: "baby", messages, max_tokens: 1000 };
    await expect(client().chat.completions.create(tooLong)).rejects.toMatchObject({
      status: 400,
      code: "context_length_exceeded",
      message: expect.stringMatching(/256 tokens.*1018.*18 in the prompt and 1000/) as string,
    });
    const wrong = { model: "baby", messages: [{ role: "wizard" as "user", content: "x" }] };
    await expect(client().chat.completions.create(wrong)).rejects.toBeInstanceOf(OpenAI.BadRequestError);
  });
});

describe("ai and @ai-sdk/openai-compatible", () => {
  const provider = () => createOpenAICompatible({ name: "modelyard", baseURL, apiKey: platform.apiKey });

  it("generates a text", async () => {
    const { text, usage } = await generateText({
      model: provider()("baby"),
      prompt,
      temperature: 0,
      maxOutputTokens: 40,
    });
    expect(text).toMatch(story);
    expect(usage).toMatchObject({ inputTokens: 18, outputTokens: 40 });
  });

  it("streams a text", async () => {
    const { textStream, finishReason } = streamText({
      model: provider()("baby"),
      prompt,
      temperature: 0,
      maxOutputTokens: 40,
    });
    let text = "";
    for await (const piece of textStream) text += piece;
    expect(text).toMatch(story);
    expect(await finishReason).toBe("length");
  });

  it("embeds", async () => {
    const { embedding } = await embed({ model: provider().embeddingModel("baby"), value: "The cat" });
    expect(embedding).toHaveLength(128);
  });
});

describe("@langchain/openai", () => {
  const chat = (): ChatOpenAI =>
    new ChatOpenAI({
      model: "baby",
      apiKey: platform.apiKey,
      temperature: 0,
      maxTokens: 40,
      maxRetries: 0,
      configuration: { baseURL },
    });

  it("invokes", async () => {
    const answer = await chat().invoke([new HumanMessage(prompt)]);
    expect(answer.text).toMatch(story);
    expect(answer.usage_metadata).toMatchObject({ input_tokens: 18, output_tokens: 40 });
  });

  it("streams with usage", async () => {
    let text = "";
    let output = 0;
    for await (const chunk of await chat().stream([new HumanMessage(prompt)])) {
      text += chunk.text;
      output += (chunk.usage_metadata as { output_tokens: number } | undefined)?.output_tokens ?? 0;
    }
    expect(text).toMatch(story);
    expect(output).toBe(40);
  });

  it("embeds", async () => {
    const embeddings = new OpenAIEmbeddings({
      model: "baby",
      apiKey: platform.apiKey,
      maxRetries: 0,
      configuration: { baseURL },
    });
    expect(await embeddings.embedQuery("The cat")).toHaveLength(128);
  });
});
