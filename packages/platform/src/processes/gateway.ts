import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { type Config, loadConfig } from "../config/index.ts";
import { parseRoutingSnapshot } from "../deployments/index.ts";
import { enableFailpoints, type Logger, PlatformError, systemClock } from "../foundation/index.ts";
import { createLanguageGateway, createLanguageMetrics } from "../language/index.ts";
import {
  createAskControlPlane,
  createGatewayMetrics,
  createHostGuard,
  createPassThrough,
  type GatewayProtocol,
  followRoutes,
  RoutingTable,
  serveGateway,
  serveGrpc,
} from "../predictions/index.ts";
import { writeFileAtomic } from "../storage/atomic-file.ts";
import { openDataDirectory, sweepAfterGateway } from "../storage/data-directory.ts";
import { readPepper } from "../storage/secrets.ts";
import { readTlsFiles, type TlsMaterial, watchTlsFiles } from "../transport/index.ts";
import { joinSupervisor } from "../supervision/index.ts";
import { processLogger } from "./process-logger.ts";
import { runProcess } from "./run-process.ts";

const closeWithinMs = 10_000;

/** @throws PlatformError `port-in-use`. */
const listening = (server: ReturnType<typeof serveGateway>, port: number): Promise<unknown> =>
  Promise.race([
    once(server, "listening"),
    once(server, "error").then(([cause]) => {
      throw new PlatformError("port-in-use", `Port ${port} cannot be opened. Choose another with --port.`, { cause });
    }),
  ]);

/** Requests under way are answered; idle connections are closed at once. */
const drained = async (server: ReturnType<typeof serveGateway>): Promise<void> => {
  const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
  const timer = setTimeout(() => server.closeAllConnections(), closeWithinMs);
  await closed;
  clearTimeout(timer);
};

/** Certificate and key, when both are configured. */
const openTls = async ({ tlsCertificate, tlsKey }: Config) => {
  if (tlsCertificate === "" && tlsKey === "") return null;
  const files = { certificate: tlsCertificate, key: tlsKey };
  return { files, material: await readTlsFiles(files) };
};

const renewTls =
  (server: ReturnType<typeof serveGateway>) =>
  (material: TlsMaterial): void => {
    if ("setSecureContext" in server) server.setSecureContext(material);
  };

const grpcAddressOf = ({ host, grpcPort }: Config): { readonly host: string; readonly port: number } => ({
  host,
  port: Math.max(grpcPort, 0),
});

/** OpenAI's API, with its metrics among the gateway's. */
const speakLanguage = (
  routes: RoutingTable,
  { registry }: ReturnType<typeof createGatewayMetrics>,
  { config, logger }: { readonly config: Config; readonly logger: Logger },
): GatewayProtocol =>
  createLanguageGateway({
    routes,
    metrics: createLanguageMetrics(registry, systemClock),
    logger,
    bodyBytesMax: config.bodyBytesMax,
    timeoutMs: config.languageTimeoutMs,
  });

/** The public port: predictions go to replicas, all else to the control plane. Never touches the database. */
const main = async (): Promise<void> => {
  using link = joinSupervisor();
  const { config } = loadConfig();
  enableFailpoints(config.failpoints);
  const logger = processLogger("gateway", config);
  const directory = openDataDirectory(config.dataDirectory);
  await sweepAfterGateway(directory);
  let pepper = await readPepper(directory);
  using routes = new RoutingTable({
    clock: systemClock,
    // Without a pepper there are no routes yet either, so no key can be right.
    pepper: () => pepper ?? new Uint8Array(0),
    waitingMax: config.queueMax,
    timeoutMs: config.predictTimeoutMs,
  });
  // What was known at the last end serves until the control plane says more.
  const kept = await readFile(directory.routing, "utf8").catch(() => null);
  if (kept !== null) routes.apply(parseRoutingSnapshot(kept));
  const stop = new AbortController();
  const first = Promise.withResolvers<void>();
  if (kept !== null) first.resolve();
  const feed = followRoutes({
    socketPath: directory.controlPlaneSocket,
    logger,
    signal: stop.signal,
    onSnapshot: async (snapshot, text) => {
      pepper ??= await readPepper(directory);
      routes.apply(snapshot);
      first.resolve();
      await writeFileAtomic(directory.routing, text, "routes");
    },
  });
  using passThrough = createPassThrough(directory.controlPlaneSocket);
  const tls = await openTls(config);
  const metrics = createGatewayMetrics();
  const shared = {
    tls: tls?.material ?? null,
    routes,
    metrics,
    logger,
    bodyBytesMax: config.bodyBytesMax,
    batchRowsMax: config.batchRowsMax,
    dialect: config.inferenceDialect,
  };
  const server = serveGateway({
    ...shared,
    guard: createHostGuard(config.allowedHosts.split(",").map((name) => name.trim())),
    passThrough,
    protocols: [speakLanguage(routes, metrics, { config, logger })],
    controlPlaneUp: () => feed.connected,
  });
  using _ = tls === null ? null : watchTlsFiles(tls.files, { onRenewed: renewTls(server), logger });
  await listening(server.listen({ port: config.port, host: config.host }), config.port);
  const askControlPlane = createAskControlPlane(directory.controlPlaneSocket);
  await using grpc = await serveGrpc(grpcAddressOf(config), { ...shared, clock: systemClock, askControlPlane });
  logger.info({ port: config.port, grpcPort: grpc.port }, "gateway ready");
  await Promise.race([first.promise, link.ended]);
  link.ready();
  await link.ended;
  stop.abort();
  await drained(server);
};

await runProcess(main);
