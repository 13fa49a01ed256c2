import { type Operation, type OperationId, operations } from "@modelyard/contracts";

/** An operation that the gateway answers itself. */
export type GatewayOperationId = Exclude<
  Extract<
    OperationId,
    | `v2.${string}`
    | `tensorflow.${string}`
    | "endpoints.predict"
    | "system.healthz"
    | "system.readyz"
    | "system.metrics"
  >,
  `v2.repository-${string}`
>;

/** All of them; the ones asked most come first. */
export const gatewayOperationIds: readonly GatewayOperationId[] = [
  "v2.infer",
  "v2.version-infer",
  "endpoints.predict",
  "tensorflow.predict",
  "tensorflow.version-predict",
  "tensorflow.label-predict",
  "tensorflow.status",
  "tensorflow.metadata",
  "v2.server",
  "v2.live",
  "v2.ready",
  "v2.stats",
  "v2.model",
  "v2.model-ready",
  "v2.model-config",
  "v2.model-stats",
  "v2.model-openapi",
  "v2.version",
  "v2.version-ready",
  "v2.version-config",
  "v2.version-stats",
  "system.healthz",
  "system.readyz",
  "system.metrics",
];

/** What a path means: the operation, and its parameters by name. */
export interface PathMatch {
  readonly id: GatewayOperationId;
  readonly operation: Operation;
  readonly params: Readonly<Record<string, string>>;
}

const escape = (text: string): string => text.replaceAll(/[.]/g, String.raw`\$&`);

const compiled = gatewayOperationIds.map((id) => {
  const operation: Operation = operations[id];
  const pattern = operation.path
    .split(/(\{\w+\})/)
    .map((part) => (part.startsWith("{") ? `(?<${part.slice(1, -1)}>[\\w.-]{1,63})` : escape(part)))
    .join("");
  return { id, operation, pattern: new RegExp(`^${pattern}$`) };
});

const find = (method: string, path: string): PathMatch | null => {
  for (const { id, operation, pattern } of compiled) {
    if (operation.method !== method) continue;
    const found = pattern.exec(path);
    if (found !== null) return { id, operation, params: { ...found.groups } };
  }
  return null;
};

const rememberedMax = 2000;
const remembered = new Map<string, PathMatch>();

/** What a method and path mean to the gateway; `null` when another process must answer. Past matches are remembered. */
export const matchPath = (method: string, path: string): PathMatch | null => {
  const key = `${method} ${path}`;
  const known = remembered.get(key);
  if (known !== undefined) return known;
  const match = find(method, path);
  if (match === null) return null;
  if (remembered.size >= rememberedMax) remembered.clear();
  remembered.set(key, match);
  return match;
};
