import { checks, runStep } from "./steps.ts";

/** The one command before a commit: format, lint, types, unit tests. */
for (const step of checks) runStep(step);
runStep({
  name: "unit tests",
  command: ["vitest", "run", "--project", "unit"],
  remedy: "Mend what is named above.",
});
