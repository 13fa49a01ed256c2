import { copyFileSync, existsSync, readFileSync, renameSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ModelyardError } from "@modelyard/sdk";
import { deploy, importTable, startTestPlatform, type TestPlatform, train, until } from "../kit/platform.ts";
import { exactly, type FaultIo, type FaultScenario } from "./scenario.ts";

const pathOf = ({ supervisor }: TestPlatform, digest: string): string =>
  join(supervisor.directory.blobs, digest.slice(7, 9), digest.slice(9));

/** Ways in which bytes go wrong; `other` is a sound file that takes the place. */
const corruptions: readonly ((file: string, other: string, random: () => number) => void)[] = [
  (file, _, random) => {
    const bytes = readFileSync(file);
    const at = Math.floor(random() * bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(random() * 8));
    writeFileSync(file, bytes);
  },
  (file, _, random) => truncateSync(file, Math.floor(random() * readFileSync(file).length)),
  (file, other) => copyFileSync(other, file),
];

/** What asking for a damaged graph comes to: its code, or `served`. */
const exported = ({ yard }: TestPlatform, version: number): Promise<string> =>
  yard.models.export("base", version).then(
    () => "served",
    (error: unknown) => (error instanceof ModelyardError ? error.code : String(error)),
  );

/** Damages the graph of a version that nothing serves yet, deploys it, and looks at what goes on answering. */
const previousServes = async (platform: TestPlatform, io: FaultIo): Promise<boolean> => {
  const { yard } = platform;
  const { artefact } = await yard.models.version("base", 2);
  const file = pathOf(platform, artefact.graph?.digest ?? "");
  const sound = readFileSync(file);
  corruptions[0]?.(file, file, io.random);
  await yard.models.alias("base", "champion", { version: 2 });
  const failing = async () => {
    const { version, replicas } = await yard.endpoints.show("base");
    return version === 1 && replicas.some((replica) => replica.version === 2 && replica.restarts > 0);
  };
  await until(failing, 30_000);
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => yard.endpoints.predict("base", { input: { a: 1, b: 1 } })),
  );
  writeFileSync(file, sound);
  await until(async () => (await yard.endpoints.show("base")).version === 2, 60_000);
  return answers.every(({ predictions }) => predictions.length === 1);
};

/** Damages stored files and uses them. */
export const scenario: FaultScenario = {
  id: "F10",
  name: "corrupt-blobs",
  summary:
    "flipped, truncated and swapped stored files are caught before use and put aside; the previous version serves",
  counts: { ci: 30, full: 1000 },
  run: async (io) => {
    await using platform = await startTestPlatform();
    const { yard } = platform;
    await importTable(yard, "base");
    for (const seed of [1, 2]) await train(yard, { dataset: "base", seed });
    await deploy(yard, "base");
    const digests = await Promise.all(
      [1, 2].map(async (n) => (await yard.models.version("base", n)).artefact.graph?.digest ?? ""),
    );
    const files = digests.map((digest) => pathOf(platform, digest));
    const sound = files.map((file) => readFileSync(file));
    let [caught, aside] = [0, 0];
    for (let round = 0; round < io.count; round++) {
      const index = round % files.length;
      const [file = "", other = ""] = [files[index], files[1 - index]];
      corruptions[round % corruptions.length]?.(file, other, io.random);
      if ((await exported(platform, index + 1)) === "artefact-corrupt") caught++;
      const quarantined = join(platform.supervisor.directory.blobs, "quarantine", (digests[index] ?? "").slice(7));
      if (!existsSync(file) && existsSync(quarantined)) aside++;
      writeFileSync(file, sound[index] ?? "");
      if (existsSync(quarantined)) renameSync(quarantined, `${quarantined}.seen`);
    }
    const serving = await previousServes(platform, io);
    return {
      checks: {
        caught: exactly(caught / io.count, 1),
        quarantined: exactly(aside / io.count, 1),
        previousServes: exactly(serving ? 1 : 0, 1),
      },
      figures: { corruptions: io.count, caught, aside },
    };
  },
};
