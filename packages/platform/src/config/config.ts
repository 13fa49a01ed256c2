import { readFileSync } from "node:fs";
import { z } from "zod";
import { PlatformError } from "../foundation/index.ts";

/** Effective values of all settings. */
export interface Config {
  readonly dataDirectory: string;
  readonly host: string;
  readonly port: number;
  readonly allowedHosts: string;
  readonly tlsCertificate: string;
  readonly tlsKey: string;
  readonly grpcPort: number;
  readonly maxConcurrentRuns: number;
  readonly trainerThreads: number;
  readonly replicaThreads: number;
  readonly batchRowsMax: number;
  readonly batchWindowMs: number;
  readonly queueMax: number;
  readonly predictTimeoutMs: number;
  readonly bodyBytesMax: number;
  readonly inferenceDialect: "modelyard" | "triton";
  readonly uploadBytesMax: number;
  readonly auditRetentionDays: number;
  readonly languageSequencesMax: number;
  readonly languageContextMax: number;
  readonly languageMemoryBytesMax: number;
  readonly languagePerKeyMax: number;
  readonly languageTimeoutMs: number;
  readonly logLevel: "debug" | "info" | "warn" | "error";
  readonly failpoints: string;
}

/** Name of a setting. */
export type SettingName = keyof Config;

/** One setting: its environment variable, its shape, its default and what it is for. */
export interface Setting<Value> {
  readonly variable: string;
  readonly schema: z.ZodType<Value>;
  readonly fallback: Value;
  readonly about: string;
}

const whole = (minimum: number, maximum: number) => z.coerce.number().int().min(minimum).max(maximum);

/** Every setting of the platform. Bounds are chosen so that no value can make it unusable. */
export const settings: { readonly [Name in SettingName]: Setting<Config[Name]> } = {
  dataDirectory: {
    variable: "MODELYARD_DATA",
    schema: z.string().min(1),
    fallback: ".modelyard",
    about: "Folder that holds the database, stored files, runs and secrets",
  },
  host: {
    variable: "MODELYARD_HOST",
    schema: z.string().min(1).max(255),
    fallback: "127.0.0.1",
    about: "Address to listen on; 0.0.0.0 opens it to the network",
  },
  port: {
    variable: "MODELYARD_PORT",
    schema: whole(0, 65_535),
    fallback: 8642,
    about: "Public port; 0 takes a free one",
  },
  allowedHosts: {
    variable: "MODELYARD_ALLOWED_HOSTS",
    schema: z.string().max(10_000),
    fallback: "",
    about: "Host names, separated by commas, under which the server may be reached beside its addresses and localhost",
  },
  tlsCertificate: {
    variable: "MODELYARD_TLS_CERTIFICATE",
    schema: z.string().max(4096),
    fallback: "",
    about: "PEM file of the certificate chain; with tlsKey the public port speaks TLS. Read again when it changes",
  },
  tlsKey: {
    variable: "MODELYARD_TLS_KEY",
    schema: z.string().max(4096),
    fallback: "",
    about: "PEM file of the certificate's private key",
  },
  grpcPort: {
    variable: "MODELYARD_GRPC_PORT",
    schema: whole(-1, 65_535),
    fallback: -1,
    about: "Port of the Open Inference Protocol over gRPC; -1 takes the one after the public port, 0 a free one",
  },
  maxConcurrentRuns: {
    variable: "MODELYARD_MAX_CONCURRENT_RUNS",
    schema: whole(1, 64),
    fallback: 1,
    about: "Training runs at the same time; the others wait in the queue",
  },
  trainerThreads: {
    variable: "MODELYARD_TRAINER_THREADS",
    schema: whole(1, 256),
    fallback: 2,
    about: "Threads that one training may use",
  },
  replicaThreads: {
    variable: "MODELYARD_REPLICA_THREADS",
    schema: whole(1, 256),
    fallback: 1,
    about: "Threads that one replica may use for one batch",
  },
  batchRowsMax: {
    variable: "MODELYARD_BATCH_ROWS_MAX",
    schema: whole(1, 4096),
    fallback: 32,
    about: "Most rows that requests waiting at a replica are joined to",
  },
  batchWindowMs: {
    variable: "MODELYARD_BATCH_WINDOW_MS",
    schema: whole(0, 10_000),
    fallback: 0,
    about: "Longest time in milliseconds that a request waits for company while the model is idle; 0 never waits",
  },
  queueMax: {
    variable: "MODELYARD_QUEUE_MAX",
    schema: whole(1, 100_000),
    fallback: 1024,
    about: "Requests that may wait for one replica; more are answered with queue-full",
  },
  predictTimeoutMs: {
    variable: "MODELYARD_PREDICT_TIMEOUT_MS",
    schema: whole(10, 600_000),
    fallback: 30_000,
    about: "Longest time in milliseconds that a prediction may take",
  },
  bodyBytesMax: {
    variable: "MODELYARD_BODY_BYTES_MAX",
    schema: whole(1024, 256 * 1024 * 1024),
    fallback: 64 * 1024 * 1024,
    about: "Largest body of a prediction in bytes",
  },
  inferenceDialect: {
    variable: "MODELYARD_INFERENCE_DIALECT",
    schema: z.enum(["modelyard", "triton"]),
    fallback: "modelyard",
    about: "Whether /v2 answers as this platform, or with the name, statuses and messages of NVIDIA Triton",
  },
  uploadBytesMax: {
    variable: "MODELYARD_UPLOAD_BYTES_MAX",
    schema: whole(1024, Number.MAX_SAFE_INTEGER),
    fallback: 64 * 1024 * 1024 * 1024,
    about: "Largest file of an import in bytes",
  },
  auditRetentionDays: {
    variable: "MODELYARD_AUDIT_RETENTION_DAYS",
    // The floor is what the EU AI Act asks of logs of high-risk systems: six months.
    schema: whole(183, 36_500),
    fallback: 365,
    about: "Days for which audit records are kept, at least 183",
  },
  languageSequencesMax: {
    variable: "MODELYARD_LANGUAGE_SEQUENCES_MAX",
    schema: whole(1, 256),
    fallback: 16,
    about: "Texts that one replica of a language model generates at once; more wait",
  },
  languageContextMax: {
    variable: "MODELYARD_LANGUAGE_CONTEXT_MAX",
    schema: whole(64, 1_048_576),
    fallback: 8192,
    about: "Longest text in tokens that a language model makes room for, at most what it was made for",
  },
  languageMemoryBytesMax: {
    variable: "MODELYARD_LANGUAGE_MEMORY_BYTES_MAX",
    schema: whole(1_048_576, Number.MAX_SAFE_INTEGER),
    fallback: 2 * 1024 * 1024 * 1024,
    about: "Memory in bytes for the keys and values of all texts of one replica; decides how many it generates at once",
  },
  languagePerKeyMax: {
    variable: "MODELYARD_LANGUAGE_PER_KEY_MAX",
    schema: whole(1, 100_000),
    fallback: 64,
    about: "Texts that one API key may have under way or waiting at one replica",
  },
  languageTimeoutMs: {
    variable: "MODELYARD_LANGUAGE_TIMEOUT_MS",
    schema: whole(1000, 86_400_000),
    fallback: 600_000,
    about: "Longest time in milliseconds that an answer of a language model may take",
  },
  logLevel: {
    variable: "MODELYARD_LOG_LEVEL",
    schema: z.enum(["debug", "info", "warn", "error"]),
    fallback: "info",
    about: "Least severity that is logged",
  },
  failpoints: {
    variable: "MODELYARD_FAILPOINTS",
    schema: z.string().max(4096),
    fallback: "",
    about: "Folder in which tests arm failpoints, at which a process then dies; empty turns them off",
  },
};

/** Where a value came from. */
export type Origin = "flag" | "environment" | "file" | "default";
/** Effective values with their origins. */
export interface LoadedConfig {
  readonly config: Config;
  readonly origins: Readonly<Record<SettingName, Origin>>;
}

/** Where settings may come from, strongest first. */
export interface ConfigSources {
  readonly flags?: Partial<Record<SettingName, string | number | undefined>>;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** A JSON file of setting names and values. */
  readonly file?: string | undefined;
}

const readFile = (file: string): Record<string, unknown> => {
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(readFileSync(file, "utf8")));
  } catch (cause) {
    throw new PlatformError("config-invalid", `The configuration file ${file} cannot be read as a JSON object.`, {
      cause,
    });
  }
};

const names = Object.keys(settings) as SettingName[];

const parseSetting = (
  { name, schema }: { readonly name: string; readonly schema: z.ZodType },
  value: unknown,
): unknown => {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const reason = parsed.error.issues[0]?.message ?? "it does not fit";
  throw new PlatformError("config-invalid", `The setting ${name} is not valid: ${reason}. Correct it or leave it out.`);
};

/**
 * Reads the configuration: flags over environment over file over defaults.
 * @throws PlatformError `config-invalid` naming the setting, where it came from, and what it may be.
 */
export const loadConfig = (sources: ConfigSources = {}): LoadedConfig => {
  const environment = sources.environment ?? process.env;
  const path = sources.file ?? environment["MODELYARD_CONFIG"];
  const file = path === undefined ? {} : readFile(path);
  const unknown = Object.keys(file).find((name) => !Object.hasOwn(settings, name));
  if (unknown !== undefined) {
    throw new PlatformError(
      "config-invalid",
      `The configuration file has an unknown setting "${unknown}". Known are: ${names.join(", ")}.`,
    );
  }
  const config: Record<string, unknown> = {};
  const origins: Record<string, Origin> = {};
  for (const name of names) {
    const { variable, schema, fallback } = settings[name];
    const candidates: readonly (readonly [Origin, unknown])[] = [
      ["flag", sources.flags?.[name]],
      ["environment", environment[variable] === "" ? undefined : environment[variable]],
      ["file", file[name]],
    ];
    const [origin, value] = candidates.find(([, given]) => given !== undefined) ?? ["default" as const, fallback];
    config[name] = parseSetting({ name: `${name} (${variable}, from ${origin})`, schema }, value);
    origins[name] = origin;
  }
  return { config: config as unknown as Config, origins: origins as Record<SettingName, Origin> };
};

/** The configuration as environment variables, to hand on to child processes. */
export const configEnvironment = (config: Config): Record<string, string> =>
  Object.fromEntries(names.map((name) => [settings[name].variable, String(config[name])]));

/** What the operating system's environment gives to child processes beside the settings. */
export const inheritedEnvironment = (): Record<string, string> => {
  const wanted = ["PATH", "HOME", "TMPDIR", "TEMP", "LANG", "LC_ALL", "NODE_OPTIONS", "NODE_EXTRA_CA_CERTS"];
  const environment: Record<string, string> = {};
  for (const name of wanted) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  return environment;
};

/** Reads a variable that the supervisor hands to one member, such as a run's id. */
export const memberVariable = (name: "MODELYARD_RUN" | "MODELYARD_REPLICA"): string => {
  const value = process.env[name];
  if (value === undefined || value === "") {
    throw new PlatformError("config-invalid", `${name} is not set: this process is started by the supervisor alone.`);
  }
  return value;
};
