import { rm } from "node:fs/promises";
import { type Config, loadConfig } from "../config/index.ts";
import { datasetRoutes } from "../datasets/index.ts";
import {
  codeVersion,
  createEventBus,
  enableFailpoints,
  type Logger,
  newIdentifier,
  PlatformError,
  systemClock,
} from "../foundation/index.ts";
import { deploymentRoutes, EndpointReconciler, type RoutingSnapshot } from "../deployments/index.ts";
import { experimentRoutes, RunSupervisor, type SuperviseDependencies } from "../experiments/index.ts";
import { type AliasMoved, modelRoutes, type ModelStore, registerVersion } from "../models/index.ts";
import { internalHeader } from "../predictions/index.ts";
import { openRunFolders } from "../storage/file-run-folder.ts";
import { joinSupervisor } from "../supervision/index.ts";
import { openIpcProcessFamily } from "../supervision/ipc-process-family.ts";
import { createLocalReplicaEngine } from "../supervision/local-replica-engine.ts";
import { createLocalRunEngine } from "../supervision/local-run-engine.ts";
import { serveOperations } from "../transport/index.ts";
import { createAuthenticate, workspaceRoutes } from "../workspaces/index.ts";
import { openApiRoutes } from "./open-api-routes.ts";
import { openAudit } from "./open-audit.ts";
import { openKeys, openStores } from "./open-stores.ts";
import { processLogger } from "./process-logger.ts";
import { runProcess } from "./run-process.ts";

/** Runs become versions of the model that their request names. */
const superviseRuns = (
  {
    models,
    ...parts
  }: Omit<SuperviseDependencies, "maxConcurrentRuns" | "owner" | "register"> & {
    readonly models: ModelStore;
  },
  config: Config,
): RunSupervisor =>
  new RunSupervisor({
    ...parts,
    maxConcurrentRuns: config.maxConcurrentRuns,
    owner: newIdentifier("req", parts.clock.nowMs()),
    register: async ({ run, trained }) => {
      const model = run.request.model ?? run.experiment;
      const artefact = { workspaceId: run.workspaceId, model, artefact: trained.manifest };
      const { version } = await registerVersion({ models, clock: parts.clock }, { ...trained, ...artefact });
      return { model, version };
    },
  });

const createBus = (logger: Logger) =>
  createEventBus<{ "alias.moved": AliasMoved; "keys.changed": null; "runs.queued": null }>((name, error) =>
    logger.error({ event: name, error }, "a listener failed"),
  );

/** What one slice does and another must hear of. */
const wakeOnEvents = (
  bus: ReturnType<typeof createBus>,
  { supervisor, reconciler }: { readonly supervisor: RunSupervisor; readonly reconciler: EndpointReconciler },
): void => {
  bus.subscribe("runs.queued", () => supervisor.wake());
  bus.subscribe("alias.moved", () => reconciler.wake());
  bus.subscribe("keys.changed", () => reconciler.wake());
};

const requireChannel = <T>(channel: T | null): T => {
  if (channel !== null) return channel;
  throw new PlatformError(
    "config-invalid",
    "The control plane is started by the supervisor alone: use `modelyard up`.",
  );
};

/** A killed predecessor leaves its socket behind; the supervisor never runs two of us. */
const listen = async (app: ReturnType<typeof serveOperations>, path: string): Promise<void> => {
  await rm(path, { force: true });
  await app.listen({ path });
};

/** Everything with a memory: answers the platform's API on a Unix socket and steers trainings and replicas. */
const main = async (): Promise<void> => {
  using link = joinSupervisor();
  const channel = requireChannel(link.channel);
  const { config } = loadConfig();
  enableFailpoints(config.failpoints);
  const logger = processLogger("control-plane", config);
  const clock = systemClock;
  await using resources = new AsyncDisposableStack();
  const stores = await openStores(config, resources);
  const { directory, blobs, datasets, models } = stores;
  const openFolder = openRunFolders(directory.runs);
  const family = resources.use(openIpcProcessFamily(channel));
  const bus = createBus(logger);

  const keys = await openKeys(stores, () => void bus.publish("keys.changed", null));
  const runs = {
    runs: stores.runs,
    datasets: datasets.store,
    openFolder,
    clock,
    codeVersion,
    engine: createLocalRunEngine(family),
    onQueued: () => void bus.publish("runs.queued", null),
  };
  const supervisor = resources.use(superviseRuns({ ...runs, models, logger }, config));
  const reconciler = resources.use(
    new EndpointReconciler({
      endpoints: stores.endpoints,
      models,
      engine: createLocalReplicaEngine(family, directory),
      keys: () => stores.workspaces.listVerifiers(clock.nowMs()),
      clock,
      logger,
    }),
  );
  wakeOnEvents(bus, { supervisor, reconciler });

  const audit = await openAudit(stores, { clock, logger, retentionDays: config.auditRetentionDays }, resources);
  const app = serveOperations({
    routes: {
      ...audit.routes,
      ...workspaceRoutes(keys),
      ...datasetRoutes({ ...datasets, blobs, clock, logger }),
      ...experimentRoutes(runs),
      ...modelRoutes({ models, blobs, clock, onMoved: (event) => void bus.publish("alias.moved", event) }),
      ...deploymentRoutes({ endpoints: reconciler.endpoints, models, clock, reconciler }),
      ...openApiRoutes(),
    },
    authenticate: createAuthenticate(keys),
    onDenied: audit.onDenied,
    logger,
    limits: { jsonBytesMax: 8 * 1024 * 1024, fileBytesMax: config.uploadBytesMax, filesMax: 1_000_000 },
    internalHeader,
    internalStreams: { "/internal/routing": (signal): AsyncIterable<RoutingSnapshot> => reconciler.snapshots(signal) },
  });
  await listen(app, directory.controlPlaneSocket);
  resources.defer(() => app.close());
  supervisor.wake();
  reconciler.wake();
  link.ready();
  await link.ended;
};

await runProcess(main);
