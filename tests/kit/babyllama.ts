import { readFileSync } from "node:fs";
import { fromLlama2c, writeGguf } from "@modelyard/learn";
import type { Modelyard } from "@modelyard/sdk";
import { until } from "./platform.ts";

const folder = new URL("../fixtures/babyllama/", import.meta.url);

/** Writes the messages one after the other: this small model knows no roles, and every character is a token. */
const plainTemplate =
  "{% for message in messages %}{{ message.content }}{% if not loop.last %}\n{% endif %}{% endfor %}";

/** A small real language model as a GGUF file. */
export const babyLlama = (
  options: { readonly contextLength?: number; readonly chatTemplate?: string } = {},
): Uint8Array<ArrayBuffer> => {
  const model = fromLlama2c({
    weights: readFileSync(new URL("model5000.bin", folder)),
    vocabulary: readFileSync(new URL("tok105.vocab", folder), "utf8"),
    name: "BabyLlama",
    chatTemplate: plainTemplate,
    ...options,
  });
  return Uint8Array.from(Buffer.concat([...writeGguf(model)]));
};

/** Registers the model and deploys it under a name; returns when it answers. */
export const deployBabyLlama = async (
  yard: Modelyard,
  name: string,
  options: Parameters<typeof babyLlama>[0] = {},
): Promise<void> => {
  await yard.models.register(name, {}, { name: `${name}.gguf`, content: babyLlama(options) });
  await yard.endpoints.create({ name, model: `${name}@champion` });
  await until(async () => (await yard.endpoints.show(name)).state === "ready", 30_000);
  // The gateway hears of the replica in the background.
  await until(async () => (await yard.v1.models()).data.some(({ id }) => id === name), 10_000);
};
