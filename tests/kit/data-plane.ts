import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TensorDatatype } from "@modelyard/contracts";
import type { RoutedEndpoint } from "../../packages/platform/src/deployments/index.ts";
import { systemClock } from "../../packages/platform/src/foundation/index.ts";
import {
  createAskControlPlane,
  createGatewayMetrics,
  createHostGuard,
  createPassThrough,
  RoutingTable,
  serveGateway,
  serveGrpc,
  serveReplica,
} from "../../packages/platform/src/predictions/index.ts";
import { onnxRuntime } from "../../packages/platform/src/runtimes/onnx-runtime.ts";
import { hashSecret, newKeyText } from "../../packages/platform/src/workspaces/api-key.ts";
import { everyElementType, identityModel } from "./identity-model.ts";

/** Datatypes that ONNX Runtime takes from Node. */
export const datatypes: readonly TensorDatatype[] = everyElementType.filter((datatype) => datatype !== "BF16");
/** Largest body that the data plane takes. */
export const bodyBytesMax: number = 1024 * 1024;

/** A gateway with replicas in this process: real sockets, ONNX Runtime, no control plane. */
export interface DataPlane extends AsyncDisposable {
  readonly url: string;
  readonly grpcAddress: string;
  readonly key: string;
  /** A key of the same workspace that may not predict. */
  readonly otherKey: string;
}

const nothing = (): void => {};
const logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
const pepper = Buffer.from("pepper");

interface Served {
  readonly name: string;
  readonly types: readonly TensorDatatype[];
  readonly shape: readonly (string | number)[];
}

/** Models that give back what they get, by the shape of a row. */
const models: readonly Served[] = [
  { name: "every", types: datatypes, shape: ["n", 3] },
  { name: "floats", types: ["FP32"], shape: ["n", 3] },
  { name: "texts", types: ["BYTES"], shape: ["n", 3] },
  { name: "lines", types: ["BYTES"], shape: ["n"] },
  { name: "longs", types: ["INT64"], shape: ["n", 3] },
  ...datatypes.map((datatype): Served => ({
    name: `only-${datatype.toLowerCase()}`,
    types: [datatype],
    shape: ["n", 3],
  })),
];

const startReplica = async (
  resources: AsyncDisposableStack,
  folder: string,
  { name, types, shape }: Served,
): Promise<RoutedEndpoint> => {
  const ports = types.map((datatype) => ({ name: datatype.toLowerCase(), datatype, shape }));
  const loaded = resources.use(await onnxRuntime.load(identityModel(ports), { threads: 1, rowsMax: 8 }));
  const address = join(folder, `${name}.sock`);
  const tensors = { inputs: [...loaded.inputs], outputs: [...loaded.outputs] };
  const signature = {
    input: { kind: "tensor" as const, shape: [3], missing: "error" as const },
    output: { kind: "classes" as const, labels: ["a", "b", "c"], scores: "probabilities" as const },
    tensors,
  };
  const options = { rowsMax: 8, queueMax: 100, windowMs: 0, bodyBytesMax, logger, drainMs: 1000 };
  resources.use(
    await serveReplica(
      address,
      { endpoint: name, model: name, version: 4, signature, preprocessing: [], loaded },
      options,
    ),
  );
  return {
    workspaceId: "ws",
    name,
    model: name,
    version: 4,
    starting: false,
    labels: { champion: 4, old: 3 },
    ...tensors,
    language: null,
    replicas: [{ id: `rep_${name}`, address }],
  };
};

const makeKey = (name: string, scopes: readonly ("predict" | "runs:read")[]) => {
  const { text, parts } = newKeyText();
  const verifier = {
    id: `key_${name}`,
    name,
    prefix: parts.prefix,
    secretHash: hashSecret(pepper, parts.secret),
    workspaceId: "ws",
    workspaceName: "w",
    scopes,
    expiresAtMs: null,
    revokedAtMs: null,
  };
  return { text, verifier };
};

/** Starts a gateway and one replica of each model; ends when disposed. */
export const startDataPlane = async (): Promise<DataPlane> => {
  await using starting = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "modelyard-plane-"));
  starting.defer(() => rm(folder, { recursive: true, force: true }));
  const endpoints: RoutedEndpoint[] = [];
  for (const model of models) endpoints.push(await startReplica(starting, folder, model));
  const routes = starting.use(
    new RoutingTable({ clock: systemClock, pepper: () => pepper, waitingMax: 100, timeoutMs: 10_000 }),
  );
  const [key, otherKey] = [makeKey("predicts", ["predict"]), makeKey("reads", ["runs:read"])];
  const absent = { ...(endpoints[0] as RoutedEndpoint), name: "absent", version: null, replicas: [] };
  routes.apply({ version: "1", keys: [key.verifier, otherKey.verifier], endpoints: [...endpoints, absent] });
  const shared = {
    tls: null,
    routes,
    metrics: createGatewayMetrics(),
    logger,
    bodyBytesMax,
    batchRowsMax: 8,
    dialect: "modelyard" as const,
  };
  const noControlPlane = join(folder, "none.sock");
  const passThrough = starting.use(createPassThrough(noControlPlane));
  const server = serveGateway({
    ...shared,
    guard: createHostGuard([]),
    passThrough,
    protocols: [],
    controlPlaneUp: () => false,
  });
  await new Promise<void>((done) => void server.listen(0, "127.0.0.1", () => done()));
  starting.defer(() => void server.close());
  starting.defer(() => server.closeAllConnections());
  const askControlPlane = createAskControlPlane(noControlPlane);
  const grpc = starting.use(
    await serveGrpc({ host: "127.0.0.1", port: 0 }, { ...shared, clock: systemClock, askControlPlane }),
  );
  // Connections to replicas are made in the background.
  while (endpoints.some(({ name }) => routes.find("ws", name)?.ready !== true)) {
    await new Promise((done) => setTimeout(done, 5));
  }
  const running = starting.move();
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    grpcAddress: `127.0.0.1:${grpc.port}`,
    key: key.text,
    otherKey: otherKey.text,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
};
