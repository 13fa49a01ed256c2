import { rm } from "node:fs/promises";
import { createServer } from "node:net";
import { type Config, configEnvironment, inheritedEnvironment } from "../config/index.ts";
import { PlatformError, systemClock } from "../foundation/index.ts";
import { type DataDirectory, lockDataDirectory, openDataDirectory } from "../storage/data-directory.ts";
import { serveProcessFamily } from "../supervision/index.ts";
import { FileBlobStore } from "../storage/file-blob-store.ts";
import { failureOfLine } from "./run-process.ts";
import { type LocalProcessFamily, openLocalProcessFamily } from "../supervision/local-process-family.ts";

/** What a starting platform may tell. */
export interface SupervisorOptions {
  readonly config: Config;
  /** Called with every line that a process logs. */
  readonly onLine: (process: string, line: string) => void;
}

/** A platform that runs. Disposing ends everything in order: nothing that was accepted is lost. */
export interface Supervisor extends AsyncDisposable {
  /** Where it answers. */
  readonly url: string;
  /** Where gRPC answers, as `host:port`. */
  readonly grpcAddress: string;
  readonly directory: DataDirectory;
  readonly family: LocalProcessFamily;
}

const startWithinMs = 30_000;
const graceMs = 15_000;
/** Groups that the control plane steers. */
const steered = ["runs", "replicas"] as const;

/** The port to use: fails early and clearly when another program has it; 0 becomes a free one. */
const freePort = (host: string, port: number, setting: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", (cause) =>
      reject(
        new PlatformError(
          "port-in-use",
          `Port ${port} on ${host} cannot be opened: another program uses it, or it is not this machine's. ` +
            `Stop that program, or choose another port with ${setting}.`,
          { cause },
        ),
      ),
    );
    probe.listen({ host, port }, () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : port));
    });
  });

/** Who takes any port for HTTP takes any for gRPC too; else it is the one after the public port. */
const freeGrpcPort = (config: Config, port: number): Promise<number> => {
  const besidePort = config.port === 0 ? 0 : port + 1;
  return freePort(config.host, config.grpcPort < 0 ? besidePort : config.grpcPort, "the setting grpcPort");
};

const untilReady = async (family: LocalProcessFamily, groups: readonly string[]): Promise<void> => {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const check = async (): Promise<void> => {
    const members = (await Promise.all(groups.map((group) => family.observe(group)))).flat();
    if (members.every(({ state }) => state === "ready")) return resolve();
    const failing = members.find(({ restarts, exit }) => restarts > 2 && exit !== null);
    if (failing !== undefined) reject(failureOfLine(failing.name, failing.exit?.lastError ?? null));
  };
  using listening = new DisposableStack();
  listening.defer(family.onChange(() => void check()));
  const timer = setTimeout(
    () =>
      reject(
        new PlatformError(
          "internal",
          `The platform did not become ready within ${startWithinMs / 1000} s. Its log says why.`,
        ),
      ),
    startWithinMs,
  );
  await check();
  await promise.finally(() => clearTimeout(timer));
};

/** The control plane is no hot path: a small nursery for new objects keeps 30 MB free while it idles. */
const smallHeap = ({ NODE_OPTIONS = "" }: Readonly<Record<string, string>>): Record<string, string> => ({
  NODE_OPTIONS: `${NODE_OPTIONS} --max-semi-space-size=2`.trim(),
});

/**
 * Starts the whole platform on this machine and returns when it takes requests.
 * @throws PlatformError `data-directory-in-use`, `port-in-use`, or why a process does not start.
 */
export const startSupervisor = async ({ config, onLine }: SupervisorOptions): Promise<Supervisor> => {
  await using starting = new AsyncDisposableStack();
  const directory = openDataDirectory(config.dataDirectory);
  starting.use(lockDataDirectory(directory));
  starting.defer(() => rm(directory.sockets, { recursive: true, force: true }));
  const port = await freePort(config.host, config.port, "--port");
  const grpcPort = await freeGrpcPort(config, port);
  await FileBlobStore.sweep(directory.blobs);
  const environment = {
    ...inheritedEnvironment(),
    ...configEnvironment({ ...config, port, grpcPort, dataDirectory: directory.root }),
    // In the data directory, which is its owner's alone: cached code is executed.
    NODE_COMPILE_CACHE: directory.codeCache,
  };
  const family = starting.use(
    openLocalProcessFamily({
      clock: systemClock,
      environment,
      onLine: (process, _, line) => onLine(process.name, line),
    }),
  );
  const served = starting.use(
    serveProcessFamily(family, { groups: steered, send: (reply) => family.send("control-plane", reply) }),
  );
  starting.defer(
    family.onMessage((name, message) => {
      if (name === "control-plane") served.receive(message);
    }),
  );
  // The control plane goes first, so that it takes no end of a child for a failure; then nobody new is let in.
  for (const group of ["replicas", "gateway", "runs", "control-plane"]) starting.defer(() => family.end(group));
  const member = (entry: "control-plane" | "gateway", own: Readonly<Record<string, string>> = {}) =>
    family.apply(entry, [{ name: entry, entry, environment: own, restart: "always", graceMs }]);
  await Promise.all([member("control-plane", smallHeap(environment)), member("gateway")]);
  await untilReady(family, ["control-plane", "gateway"]);
  const running = starting.move();
  const host = config.host.includes(":") ? `[${config.host}]` : config.host;
  const reached = host === "0.0.0.0" ? "127.0.0.1" : host;
  return {
    url: `http${config.tlsCertificate === "" ? "" : "s"}://${reached}:${port}`,
    grpcAddress: `${reached}:${grpcPort}`,
    directory,
    family,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
};
