import { checks, runStep } from "./steps.ts";

/** The one command before a commit: format, lint, types, unit tests and the house's rules. */
for (const step of checks) runStep(step);
runStep({
  name: "unit tests",
  command: ["vitest", "run", "--project", "unit", "--project", "house"],
  remedy: "Mend what is named above.",
});
