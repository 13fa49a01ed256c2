import { type Routes, timestamp } from "../foundation/index.ts";
import { toRun } from "./run.ts";
import { startRun, type StartRunDependencies } from "./start-run.ts";
import { cancelRun, resumeRun, showRun, type SteerDependencies, watchRun } from "./steer-run.ts";

/** Operations of this slice. */
export type ExperimentOperationId =
  | "experiments.list"
  | "runs.start"
  | "runs.list"
  | "runs.show"
  | "runs.watch"
  | "runs.logs"
  | "runs.cancel"
  | "runs.resume";

/** Answers the operations on experiments and runs. */
export const experimentRoutes = (
  dependencies: StartRunDependencies & SteerDependencies,
): Routes<ExperimentOperationId> => {
  const { runs, openFolder } = dependencies;
  return {
    "experiments.list": async ({ principal, query }) => {
      const page = await runs.listExperiments(principal.workspaceId, query);
      const items = page.items.map(({ name, createdAtMs, runs: count, lastRun }) => ({
        name,
        createdAt: timestamp(createdAtMs),
        runs: count,
        lastRun: lastRun === null ? null : toRun(lastRun),
      }));
      return { items, next: page.next };
    },
    "runs.start": async ({ principal, body, once }) =>
      toRun(await startRun(dependencies, { workspaceId: principal.workspaceId, request: body, once })),
    "runs.list": async ({ principal, query }) => {
      const page = await runs.listRuns(principal.workspaceId, query);
      return { items: page.items.map(toRun), next: page.next };
    },
    "runs.show": async ({ principal, params }) =>
      toRun(await showRun(dependencies, { workspaceId: principal.workspaceId, id: params.id })),
    "runs.watch": async ({ principal, params, query, lastEventId, signal }) =>
      watchRun(
        dependencies,
        { workspaceId: principal.workspaceId, id: params.id },
        { after: Math.max(query.after, lastEventId), signal },
      ),
    "runs.logs": async ({ principal, params }) => {
      await showRun(dependencies, { workspaceId: principal.workspaceId, id: params.id });
      const events = await (await openFolder(params.id)).eventsAfter(0);
      const items = events.flatMap((event) =>
        event.type === "log" ? [{ time: event.time, level: event.level, message: event.message }] : [],
      );
      return { items };
    },
    "runs.cancel": async ({ principal, params }) =>
      toRun(await cancelRun(dependencies, { workspaceId: principal.workspaceId, id: params.id })),
    "runs.resume": async ({ principal, params, query }) =>
      toRun(await resumeRun(dependencies, { workspaceId: principal.workspaceId, id: params.id }, query)),
  };
};
