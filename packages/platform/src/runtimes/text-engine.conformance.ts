import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromLlama2c, writeGguf } from "@modelyard/learn";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Generation, GenerationEvent, LanguageModel, TextEngine, TextEngineOptions } from "./text-engine.ts";

const fixtures = new URL("../../../../tests/fixtures/babyllama/", import.meta.url);

const options: TextEngineOptions = {
  threads: 1,
  sequencesMax: 4,
  contextMax: 256,
  keyValueBytesMax: 64 * 1024 * 1024,
  keyValueBytesPerToken: 1280,
  queueMax: 8,
  perOwnerMax: 6,
};

const baby = (): Uint8Array =>
  Buffer.concat([
    ...writeGguf(
      fromLlama2c({
        weights: readFileSync(new URL("model5000.bin", fixtures)),
        vocabulary: readFileSync(new URL("tok105.vocab", fixtures), "utf8"),
        name: "BabyLlama",
      }),
    ),
  ]);

const greedy = {
  temperature: 0,
  topP: 1,
  topK: 0,
  minP: 0,
  repeatPenalty: 1,
  presencePenalty: 0,
  frequencyPenalty: 0,
  seed: 1,
  logitBias: new Map<number, number>(),
};

/** What every engine of language models guarantees, tried with a small real model. */
export const textEngineConformance = (driver: string, engine: TextEngine): void => {
  let folder = "";
  let model: LanguageModel;
  const never = new AbortController().signal;

  const ask = (text: string, more: Partial<Generation> = {}): Generation => ({
    prompt: [model.beginToken ?? 0, ...model.tokenize(text, false)],
    tokensMax: 40,
    sampling: greedy,
    grammar: null,
    alternatives: null,
    tenant: "one",
    owner: "key",
    priority: "normal",
    ...more,
  });
  const collect = async (generation: Generation, signal = never): Promise<GenerationEvent[]> => {
    const events: GenerationEvent[] = [];
    for await (const event of model.generate(generation, signal)) events.push(event);
    return events;
  };
  const textOf = (events: readonly GenerationEvent[]): string =>
    events.map((event) => (event.kind === "started" ? "" : event.text)).join("");
  const cachedOf = ([first]: readonly GenerationEvent[]): number =>
    first?.kind === "started" ? first.cachedTokens : Number.NaN;

  describe(`text engine: ${driver}`, () => {
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "modelyard-engine-"));
      await writeFile(join(folder, "baby.gguf"), baby());
      model = await engine.load(join(folder, "baby.gguf"), options);
    }, 60_000);
    afterAll(async () => {
      await model[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    });

    test("tells its sizes and turns any text into tokens and back", () => {
      expect([model.contextLength, model.vocabularySize, model.beginToken]).toEqual([256, 361, 1]);
      const text = "Lily said: 日本 😀 {}";
      expect(model.detokenize(model.tokenize(text, false))).toBe(text);
    });

    test("continues a text in English", async () => {
      const events = await collect(ask("Once upon a time"));
      expect(textOf(events)).toBe(", there was a little girl named Lily. Sh");
      expect(events.at(-1)).toMatchObject({ kind: "ended", reason: "length" });
    });

    test("every text that is under way is in every decode, and each gets the text that it gets alone", async () => {
      const prompts = ["Once upon a time", "Tom had a red ball", "The cat", "One day"];
      const alone: string[] = [];
      for (const prompt of prompts) alone.push(textOf(await collect(ask(prompt))));
      const before = model.statistics;
      const together = await Promise.all(prompts.map((prompt) => collect(ask(prompt))));
      const after = model.statistics;
      expect(together.map(textOf)).toEqual(alone);
      const perDecode = (after.decodedSequences - before.decodedSequences) / (after.decodes - before.decodes);
      expect(perDecode).toBeGreaterThan(3.8);
    });

    test("the same seed gives the same text, another seed another", async () => {
      const draw = async (seed: number): Promise<string> =>
        textOf(await collect(ask("Once", { sampling: { ...greedy, temperature: 1, seed } })));
      const [a, b, c] = [await draw(7), await draw(7), await draw(8)];
      expect(b).toBe(a);
      expect(c).not.toBe(a);
    });

    test("uses what it knows of a prompt within a tenant, and never what another tenant wrote", async () => {
      const secret = "The secret word of the first tenant is blue";
      await collect(ask(secret, { tenant: "first", tokensMax: 5 }));
      expect(cachedOf(await collect(ask(secret, { tenant: "first", tokensMax: 5 })))).toBeGreaterThan(40);
      for (let i = 0; i < 2 * options.sequencesMax; i++) {
        expect(cachedOf(await collect(ask(secret, { tenant: `other ${i}`, tokensMax: 2 })))).toBe(0);
      }
    });

    test("obeys a grammar", async () => {
      const events = await collect(ask("Lily is", { grammar: 'root ::= ("yes" | "no") " " [0-9]{3}' }));
      expect(textOf(events)).toMatch(/^(?:yes|no) \d{3}$/);
      expect(events.at(-1)).toMatchObject({ kind: "ended", reason: "stop" });
    });

    test("tells probabilities of the chosen token and of the likeliest", async () => {
      const events = await collect(ask("Once upon a tim", { alternatives: 3, tokensMax: 1 }));
      const token = events.find((event) => event.kind === "token");
      expect(token?.probabilities?.length).toBe(4);
      expect(token?.probabilities?.[0]).toEqual(token?.probabilities?.[1]);
      expect(Math.exp(token?.probabilities?.[0]?.logProbability ?? 0)).toBeGreaterThan(0.9);
    });

    test("a bias forbids a token", async () => {
      const [comma = 0] = model.tokenize(",", false).slice(-1);
      const sampling = { ...greedy, logitBias: new Map([[comma, -100]]) };
      expect(textOf(await collect(ask("Once upon a time", { sampling })))).not.toContain(",");
    });

    test("frees its place at once when nobody listens any more, waiting or under way", async () => {
      const abort = new AbortController();
      const long = { tokensMax: 200, owner: "leaver" };
      const running = Array.from({ length: 6 }, () => collect(ask("Once", long), abort.signal));
      while (model.statistics.active < 4) await new Promise((done) => setTimeout(done, 2));
      abort.abort();
      await Promise.all(running);
      const endMs = performance.now() + 1000;
      while (model.statistics.active + model.statistics.waiting > 0 && performance.now() < endMs) {
        await new Promise((done) => setTimeout(done, 5));
      }
      expect(model.statistics).toMatchObject({ active: 0, waiting: 0 });
    });

    test("bounds what one owner may have under way, and what waits in all", async () => {
      const abort = new AbortController();
      const start = (owner: string): Promise<unknown> =>
        collect(ask("Once", { tokensMax: 200, owner }), abort.signal).catch((error: unknown) => error);
      const all = [
        ...Array.from({ length: 7 }, () => start("greedy")),
        ...Array.from({ length: 12 }, (_, i) => start(`owner ${i}`)),
      ];
      await new Promise((done) => setTimeout(done, 50));
      abort.abort();
      const refused = (await Promise.all(all)).filter((result) => !Array.isArray(result));
      expect(refused).toContainEqual(
        expect.objectContaining({ code: "queue-full", message: expect.stringMatching(/This key/) as string }),
      );
      expect(refused).toContainEqual(
        expect.objectContaining({ code: "queue-full", message: expect.stringMatching(/As many requests/) as string }),
      );
    });

    test("a text that fits to the last token ends with it", async () => {
      const generation = ask("a".repeat(200));
      const tokensMax = model.contextLength - generation.prompt.length;
      const events = await collect({ ...generation, tokensMax });
      expect(events.filter(({ kind }) => kind === "token").length).toBeLessThanOrEqual(tokensMax);
      expect(events.at(-1)?.kind).toBe("ended");
    });

    test("makes vectors that are alike for texts that are alike", async () => {
      const [a, b] = [
        await model.embed(model.tokenize("The cat sat", false)),
        await model.embed(model.tokenize("The cat sat", false)),
      ];
      expect(a.length).toBe(128);
      expect([...b]).toEqual([...a]);
    });

    test("a file that is no model is refused with a code", async () => {
      await writeFile(join(folder, "none.gguf"), "GGUF and then nothing");
      await expect(engine.load(join(folder, "none.gguf"), options)).rejects.toMatchObject({ code: "gguf-invalid" });
    });
  });
};
