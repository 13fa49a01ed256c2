import { spawnSync } from "node:child_process";

/** One check: a program of node_modules/.bin and what to do when it fails. */
export interface Step {
  readonly name: string;
  readonly command: readonly string[];
  readonly remedy: string;
}

/** What both `npm run check` and `npm test` begin with. */
export const checks: readonly Step[] = [
  { name: "format", command: ["oxfmt", "--check", "."], remedy: "Run: npm run format" },
  { name: "lint", command: ["oxlint", "--type-aware"], remedy: "Mend what is named above." },
  { name: "types", command: ["tsc", "-b"], remedy: "Mend what is named above." },
  { name: "knip", command: ["knip", "--no-progress"], remedy: "Delete what nobody uses, or use it." },
];

/** Runs a step and says how long it took; ends the program when it fails. */
export const runStep = ({ name, command, remedy }: Step): void => {
  const [program = "", ...args] = command;
  const started = performance.now();
  const { status } = spawnSync(program, args, { stdio: ["ignore", "inherit", "inherit"] });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  if (status === 0) {
    console.log(`✓ ${name} (${seconds} s)`);
    return;
  }
  console.error(`✗ ${name} (${seconds} s). ${remedy}`);
  process.exit(1);
};
