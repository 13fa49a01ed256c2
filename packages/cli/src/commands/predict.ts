import { readFileSync } from "node:fs";
import type { Command } from "commander";
import type { PredictResponse } from "@modelyard/contracts";
import type { PredictInput } from "@modelyard/sdk";
import { addCommand, type CommonOptions, contextOf } from "../command.ts";
import { UsageError } from "../failure.ts";
import { formatMetric } from "../output/numbers.ts";
import { formatTable } from "../output/table.ts";
import type { Terminal } from "../terminal.ts";

const inlineJson = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new UsageError("usage", "What begins like JSON is not valid JSON. Mend it, or give a file.");
  }
};

/** A file (image, or JSON), or JSON itself. */
const readInput = (given: string): PredictInput => {
  if (/^\s*[[{]/.test(given)) return { input: inlineJson(given) };
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = Uint8Array.from(readFileSync(given));
  } catch {
    throw new UsageError(
      "file-unreadable",
      `"${given}" cannot be read. Give an image, a JSON file, or JSON in quotes.`,
    );
  }
  if (given.endsWith(".json")) return { input: inlineJson(new TextDecoder().decode(bytes)) };
  return { image: bytes };
};

const shownMax = 5;

const describe = ({ predictions, model, version }: PredictResponse): string => {
  const parts = predictions.map((prediction) => {
    if (prediction.label === undefined) return `${JSON.stringify(prediction.value)}\n`;
    const best = Object.entries(prediction.probabilities ?? {})
      .toSorted(([, a], [, b]) => b - a)
      .slice(0, shownMax)
      .map(([label, probability]) => [label, formatMetric(probability)]);
    return `${prediction.label}  ${formatMetric(prediction.probability)}\n\n${formatTable(["class", "probability"], best)}`;
  });
  return `${parts.join("\n")}(${model}@${version})\n`;
};

/** Adds `predict`. */
export const addPredictCommand = (program: Command, terminal: Terminal): void => {
  addCommand(program, {
    usage: "predict <endpoint> <input>",
    about: "predict from an image file, a JSON file or JSON",
  }).action(async (endpoint: string, input: string, options: CommonOptions) => {
    const { connection, print } = contextOf(terminal, options);
    const answer = await connection.yard.endpoints.predict(endpoint, readInput(input));
    print(answer, describe(answer));
  });
};
