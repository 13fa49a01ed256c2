import { createRandom } from "@modelyard/learn";
import { openDatasetYard } from "../../tests/kit/dataset-imports.ts";
import type { Scenario } from "./scenario.ts";

const rows = 1_000_000;
const rowsPerChunk = 1000;
/** Longest that an import may keep everyone else on its thread waiting. */
const turnMsMax = 50;

/** A table of numbers, a text and two categories, in pieces as they come over the wire. */
const tableChunks = (): Uint8Array[] => {
  const random = createRandom(1);
  const chunks: Uint8Array[] = [Buffer.from("a,b,c,name,kind,y\n")];
  for (let row = 0; row < rows; row += rowsPerChunk) {
    let text = "";
    for (let at = row; at < row + rowsPerChunk; at++) {
      const [a, b, c] = [random.uniform(), random.integerBelow(1000), random.uniform() * 1e5];
      text += `${a},${b},${c},name ${at},${"xyz".charAt(random.integerBelow(3))},${random.integerBelow(2)}\n`;
    }
    chunks.push(Buffer.from(text));
  }
  return chunks;
};

/** Processor time of this thread: other programs on the machine do not count. */
const threadMs = (): number => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
};

/** Measures the longest turn of the event loop while work goes on. */
const longestTurn = async (work: () => Promise<void>): Promise<number> => {
  let [longest, last, over] = [0, threadMs(), false];
  const turn = (): void => {
    const now = threadMs();
    longest = Math.max(longest, now - last);
    last = now;
    if (!over) setImmediate(turn);
  };
  setImmediate(turn);
  await work();
  over = true;
  return longest;
};

/** Measures how long an import of a large table keeps the control plane's thread. */
export const scenario: Scenario = {
  name: "import-table",
  summary: "a CSV of a million rows: rows a second, and the longest turn of the event loop in processor time",
  run: async (io) => {
    await using yard = await openDatasetYard();
    const content = tableChunks();
    const started = performance.now();
    const longestTurnMs = await longestTurn(async () => {
      await yard.import([{ name: "table.csv", content }], { format: "csv", target: "y", kinds: { y: "category" } });
    });
    const seconds = (performance.now() - started) / 1000;
    io.log(`${rows} rows in ${seconds.toFixed(1)} s, longest turn ${longestTurnMs.toFixed(0)} ms`);
    return {
      figures: { seconds, rowsPerSecond: rows / seconds, longestTurnMs },
      ratios: { turnAllowedOverTaken: { value: turnMsMax / longestTurnMs, atLeast: 1 } },
    };
  },
};
