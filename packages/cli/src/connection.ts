import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Modelyard } from "@modelyard/sdk";
import { UsageError } from "./failure.ts";
import type { Terminal } from "./terminal.ts";

/** Options of every command that talks to a platform. */
export interface ConnectionOptions {
  readonly url?: string | undefined;
  readonly apiKey?: string | undefined;
  readonly data?: string | undefined;
}

/** Where and as whom a command asks. */
export interface Connection {
  readonly url: string;
  readonly apiKey: string;
  readonly yard: Modelyard;
}

const defaultUrl = "http://127.0.0.1:8642";

/** Finds address and key: options over environment over the admin key in the data directory of this machine. */
export const connect = (options: ConnectionOptions, { environment }: Terminal): Connection => {
  const url = options.url ?? environment["MODELYARD_URL"] ?? defaultUrl;
  if (!URL.canParse(url)) throw new UsageError("usage", `"${url}" is no address. Give one like ${defaultUrl}.`);
  const folder = options.data ?? environment["MODELYARD_DATA"] ?? ".modelyard";
  const apiKey = options.apiKey ?? environment["MODELYARD_API_KEY"] ?? readKey(join(folder, "admin.key"));
  if (apiKey === undefined) {
    throw new UsageError(
      "key-missing",
      `No API key was found: not in MODELYARD_API_KEY, not in ${folder}. Start the platform here with \`modelyard up\`, or set the variable.`,
    );
  }
  return { url, apiKey, yard: new Modelyard({ url, apiKey }) };
};

const readKey = (file: string): string | undefined => {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return undefined;
  }
};
