import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromLlama2c, writeGguf } from "@modelyard/learn";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { llamaTextEngine } from "../runtimes/llama/llama-text-engine.ts";
import type { LanguageModel } from "../runtimes/index.ts";
import { schemaGrammar, toolGrammar } from "./schema-grammar.ts";

const fixtures = new URL("../../../../tests/fixtures/babyllama/", import.meta.url);
const resources = new AsyncDisposableStack();
let model: LanguageModel;

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), "modelyard-grammar-"));
  resources.defer(() => rm(folder, { recursive: true, force: true }));
  const weights = readFileSync(new URL("model5000.bin", fixtures));
  const vocabulary = readFileSync(new URL("tok105.vocab", fixtures), "utf8");
  const file = fromLlama2c({ weights, vocabulary, name: "baby", contextLength: 2048 });
  await writeFile(join(folder, "baby.gguf"), Buffer.concat([...writeGguf(file)]));
  model = resources.use(
    await llamaTextEngine.load(join(folder, "baby.gguf"), {
      threads: 1,
      sequencesMax: 8,
      contextMax: 2048,
      keyValueBytesMax: 256 * 1024 * 1024,
      keyValueBytesPerToken: 1280,
      queueMax: 100,
      perOwnerMax: 100,
    }),
  );
}, 60_000);
afterAll(() => resources.disposeAsync());

/** A text that the model writes under a grammar, hot enough to try its corners; `null` when it did not come to an end. */
const write = async (grammar: string, seed: number): Promise<string | null> => {
  let text = "";
  const generation = {
    prompt: [1, ...model.tokenize("Here it is: ", false)],
    tokensMax: 500,
    sampling: {
      temperature: 1.6,
      topP: 1,
      topK: 0,
      minP: 0,
      repeatPenalty: 1,
      presencePenalty: 0,
      frequencyPenalty: 0,
      seed,
      logitBias: new Map<number, number>(),
    },
    grammar,
    alternatives: null,
    tenant: "t",
    owner: "o",
    priority: "normal" as const,
  };
  for await (const event of model.generate(generation, new AbortController().signal)) {
    if (event.kind !== "started") text += event.text;
    if (event.kind === "ended" && event.reason === "length") return null;
  }
  return text;
};

const text = { type: "string", maxLength: 12 };

describe("every text under a schema's grammar is valid under the schema", () => {
  it.each<[string, Record<string, unknown>]>([
    [
      "an object with optional members",
      {
        type: "object",
        properties: { a: text, b: { type: "integer", minimum: 0, maximum: 9 }, c: { type: "boolean" } },
        required: ["b"],
      },
    ],
    ["only optional members", { type: "object", properties: { a: { type: "null" }, b: { type: "boolean" } } }],
    [
      "nested objects in arrays",
      {
        type: "array",
        minItems: 1,
        maxItems: 3,
        items: { type: "object", properties: { x: { type: "boolean" } }, required: ["x"], additionalProperties: false },
      },
    ],
    [
      "enum and const",
      {
        type: "object",
        properties: { kind: { const: "dog" }, size: { enum: ["s", "m", 3, null] } },
        required: ["kind", "size"],
      },
    ],
    ["anyOf", { anyOf: [{ type: "integer", minimum: 5, maximum: 7 }, { type: "boolean" }, { type: "null" }] }],
    [
      "allOf",
      {
        allOf: [
          { type: "object", properties: { a: { type: "boolean" } }, required: ["a"] },
          { type: "object", properties: { b: { type: "null" } }, required: ["b"] },
        ],
      },
    ],
    ["a range of whole numbers", { type: "integer", minimum: -37, maximum: 1042 }],
    ["a range with open ends", { type: "integer", exclusiveMinimum: 98, exclusiveMaximum: 102 }],
    ["a range of numbers", { type: "number", minimum: -1.5, maximum: 2 }],
    ["numbers above nothing", { type: "number", exclusiveMinimum: 0, maximum: 1 }],
    ["a pattern", { type: "string", pattern: "^[A-Z]{2,3}-(?:\\d+|x)\\.?$" }],
    ["lengths", { type: "string", minLength: 3, maxLength: 5 }],
    ["several types", { type: ["string", "null"], maxLength: 4 }],
    ["a tuple", { type: "array", prefixItems: [{ type: "boolean" }, { type: "null" }], items: false, minItems: 2 }],
    [
      "references",
      {
        $ref: "#/$defs/pair",
        $defs: {
          pair: {
            type: "object",
            properties: { left: { $ref: "#/$defs/leaf" }, right: { $ref: "#/$defs/leaf" } },
            required: ["left", "right"],
          },
          leaf: { type: "boolean" },
        },
      },
    ],
  ])("%s", async (_, schema) => {
    const grammar = schemaGrammar(schema);
    const validator = z.fromJSONSchema(schema);
    const texts = await Promise.all(Array.from({ length: 12 }, (_, seed) => write(grammar, seed)));
    // At this heat the small model also writes bytes that are no character.
    const whole = texts.filter((written): written is string => written !== null && !written.includes("\uFFFD"));
    expect(whole.length).toBeGreaterThan(4);
    for (const written of whole) {
      expect(() => JSON.parse(written) as unknown, written).not.toThrow();
      expect(validator.safeParse(JSON.parse(written)), written).toMatchObject({ success: true });
    }
  });

  it("recursion ends in JSON", async () => {
    const schema = {
      $ref: "#/$defs/list",
      $defs: {
        list: {
          type: "object",
          properties: { next: { anyOf: [{ type: "null" }, { $ref: "#/$defs/list" }] } },
          required: ["next"],
        },
      },
    };
    const texts = await Promise.all(Array.from({ length: 8 }, (_, seed) => write(schemaGrammar(schema), seed)));
    const whole = texts.filter((written) => written !== null);
    expect(whole.length).toBeGreaterThan(0);
    for (const written of whole) expect(JSON.parse(written)).toHaveProperty("next");
  });

  it("calls of tools have a tool's name and its arguments", async () => {
    const tools = [
      { name: "weather", parameters: { type: "object", properties: { city: text }, required: ["city"] } },
      { name: "now", parameters: { type: "object", properties: {}, additionalProperties: false } },
    ];
    const written = await write(toolGrammar(tools, { free: false, many: false }), 1);
    expect(written).toMatch(/^<tool_call>\n\{"name": "(?:weather|now)", "arguments": \{.*\}\}\n<\/tool_call>$/s);
  });

  it.each([
    ["not", { not: { type: "string" } }],
    ["a reference outside", { $ref: "https://example.org/x.json" }],
    ["a reference to nothing", { $ref: "#/$defs/none" }],
    ["an empty range", { type: "integer", minimum: 5, maximum: 4 }],
    ["a pattern with a look-ahead", { type: "string", pattern: "^(?=x)y$" }],
    ["a type that does not exist", { type: "date" }],
    ["unique items", { type: "array", uniqueItems: true }],
  ])("refuses what it cannot express: %s", (_, schema) => {
    expect(() => schemaGrammar(schema)).toThrow(expect.objectContaining({ code: "prompt-invalid" }) as Error);
  });
});
