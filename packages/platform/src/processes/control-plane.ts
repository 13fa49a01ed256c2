import { rm } from "node:fs/promises";
import { type Config, loadConfig } from "../config/index.ts";
import { BlobLedger, datasetRoutes, sweepImports } from "../datasets/index.ts";
import {
  codeVersion,
  createEventBus,
  type Logger,
  newIdentifier,
  PlatformError,
  systemClock,
} from "../foundation/index.ts";
import { deploymentRoutes, EndpointReconciler, type RoutingSnapshot } from "../deployments/index.ts";
import { experimentRoutes, RunSupervisor, type SuperviseDependencies } from "../experiments/index.ts";
import { type AliasMoved, modelRoutes, type ModelStore, registerVersion } from "../models/index.ts";
import { internalHeader } from "../predictions/index.ts";
import { type DataDirectory, openDataDirectory } from "../storage/data-directory.ts";
import { type Database, openDatabase } from "../storage/database.ts";
import { FileBlobStore } from "../storage/file-blob-store.ts";
import { openRunFolders } from "../storage/file-run-folder.ts";
import { KyselyDatasetStore } from "../storage/kysely-dataset-store.ts";
import { KyselyEndpointStore } from "../storage/kysely-endpoint-store.ts";
import { KyselyModelStore } from "../storage/kysely-model-store.ts";
import { KyselyRunStore } from "../storage/kysely-run-store.ts";
import { KyselyWorkspaceStore } from "../storage/kysely-workspace-store.ts";
import { readOrMakePepper, storeAdminKey } from "../storage/secrets.ts";
import { joinSupervisor, openIpcProcessFamily } from "../supervision/index.ts";
import { createLocalReplicaEngine } from "../supervision/local-replica-engine.ts";
import { createLocalRunEngine } from "../supervision/local-run-engine.ts";
import { serveOperations } from "../transport/index.ts";
import { createAuthenticate, ensureAdminKey, workspaceRoutes, type WorkspaceStore } from "../workspaces/index.ts";
import { openApiRoutes } from "./open-api-routes.ts";
import { processLogger } from "./process-logger.ts";

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

/** Keys, with an admin key that works in the owner's hands. */
const openKeys = async (directory: DataDirectory, store: WorkspaceStore, onChange: () => void) => {
  const keys = { store, clock: systemClock, pepper: await readOrMakePepper(directory), onChange, codeVersion };
  await storeAdminKey(directory, (current) => ensureAdminKey(keys, current));
  return keys;
};

/** Datasets, without what imports that were cut off left behind. */
const openDatasets = async (kysely: Database["kysely"], blobs: FileBlobStore) => {
  const store = new KyselyDatasetStore(kysely);
  const ledger = new BlobLedger(store, blobs);
  await sweepImports({ store, ledger });
  return { store, ledger };
};

/** Everything with a memory: answers the platform's API on a Unix socket and steers trainings and replicas. */
const main = async (): Promise<void> => {
  using link = joinSupervisor();
  if (link.channel === null) {
    throw new PlatformError(
      "config-invalid",
      "The control plane is started by the supervisor alone: use `modelyard up`.",
    );
  }
  const { config } = loadConfig();
  const logger = processLogger("control-plane", config);
  const clock = systemClock;
  await using resources = new AsyncDisposableStack();
  const directory = openDataDirectory(config.dataDirectory);
  const { kysely } = resources.use(openDatabase(directory.database));
  const blobs = await FileBlobStore.open(directory.blobs, { sweep: false });
  const openFolder = openRunFolders(directory.runs);
  const family = resources.use(openIpcProcessFamily(link.channel));
  const bus = createBus(logger);

  const workspaces = new KyselyWorkspaceStore(kysely);
  const keys = await openKeys(directory, workspaces, () => void bus.publish("keys.changed", null));
  const datasets = await openDatasets(kysely, blobs);
  const models = new KyselyModelStore(kysely);
  const runs = {
    runs: new KyselyRunStore(kysely),
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
      endpoints: new KyselyEndpointStore(kysely),
      models,
      engine: createLocalReplicaEngine(family, directory),
      keys: () => workspaces.listVerifiers(clock.nowMs()),
      clock,
      logger,
    }),
  );
  bus.subscribe("runs.queued", () => supervisor.wake());
  bus.subscribe("alias.moved", () => reconciler.wake());
  bus.subscribe("keys.changed", () => reconciler.wake());

  const app = serveOperations({
    routes: {
      ...workspaceRoutes(keys),
      ...datasetRoutes({ ...datasets, blobs, clock, logger }),
      ...experimentRoutes(runs),
      ...modelRoutes({ models, blobs, clock, onMoved: (event) => void bus.publish("alias.moved", event) }),
      ...deploymentRoutes({ endpoints: reconciler.endpoints, models, clock, reconciler }),
      ...openApiRoutes(),
    },
    authenticate: createAuthenticate(keys),
    logger,
    limits: { jsonBytesMax: 8 * 1024 * 1024, fileBytesMax: config.uploadBytesMax, filesMax: 1_000_000 },
    internalHeader,
    internalStreams: { "/internal/routing": (signal): AsyncIterable<RoutingSnapshot> => reconciler.snapshots(signal) },
  });
  // A killed predecessor leaves its socket behind; the supervisor never runs two of us.
  await rm(directory.controlPlaneSocket, { force: true });
  await app.listen({ path: directory.controlPlaneSocket });
  resources.defer(() => app.close());
  supervisor.wake();
  reconciler.wake();
  link.ready();
  await link.ended;
};

await main();
