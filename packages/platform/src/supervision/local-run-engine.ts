import type { RunEngine, RunExit } from "../experiments/index.ts";
import type { ProcessFamily } from "./process-family.ts";

const group = "runs";
/** A step and the writing of a checkpoint must fit into this. */
const graceMs = 30_000;

/** Runs trainings as child processes of the supervisor. */
export const createLocalRunEngine = (family: ProcessFamily): RunEngine => ({
  apply: (runIds) =>
    family.apply(
      group,
      runIds.map((id) => ({
        name: id,
        entry: "trainer" as const,
        environment: { MODELYARD_RUN: id },
        restart: "never" as const,
        graceMs,
      })),
    ),
  observe: async () => {
    const processes = await family.observe(group);
    return processes.map(({ name, state, exit }) => {
      const end: RunExit | null =
        state === "exited"
          ? { runId: name, code: exit?.code ?? null, signal: exit?.signal ?? null, lastError: exit?.lastError ?? null }
          : null;
      return { runId: name, exit: end };
    });
  },
  end: (runId, how) => family.signal(runId, how === "gracefully" ? "terminate" : "kill"),
  onChange: (listener) =>
    family.onChange((process) => {
      if (process.group === group) listener();
    }),
});
