import type { Operation } from "@modelyard/contracts";
import { errorOf, unreachable } from "./modelyard-error.ts";

/** Where and as whom to ask. */
export interface ClientOptions {
  /** Address of the platform, e.g. `http://127.0.0.1:8642`. */
  readonly url: string;
  /** Key, sent as `Authorization: Bearer …`; public operations work without. */
  readonly apiKey?: string | undefined;
  /** Replaces the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** Longest wait in milliseconds for an answer's beginning; default 60,000. Imports are not bounded. */
  readonly timeoutMs?: number | undefined;
}

/** The parts of a request. */
export interface Parts {
  readonly params: readonly unknown[];
  readonly query?: object | undefined;
  readonly body?: BodyInit | undefined;
  readonly contentType?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
}

const defaultTimeoutMs = 60_000;

const pathOf = (operation: Operation, params: readonly unknown[]): string => {
  let index = 0;
  return operation.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = params[index++];
    if (typeof value !== "string" && typeof value !== "number") {
      throw new TypeError(`${operation.id} needs the parameter ${name}`);
    }
    return encodeURIComponent(String(value));
  });
};

const headersOf = (options: ClientOptions, parts: Parts): Record<string, string> => {
  const headers: Record<string, string> = { ...parts.headers };
  if (options.apiKey !== undefined) headers["authorization"] = `Bearer ${options.apiKey}`;
  if (parts.contentType !== undefined) headers["content-type"] = parts.contentType;
  return headers;
};

const addQuery = (url: URL, query: object = {}): void => {
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
};

/** Sends one request and returns the answer's beginning. @throws ModelyardError when it is not a success. */
export const send = async (options: ClientOptions, operation: Operation, parts: Parts): Promise<Response> => {
  const url = new URL(pathOf(operation, parts.params), options.url);
  addQuery(url, parts.query);
  const headers = headersOf(options, parts);
  const patience = new AbortController();
  const bounded = operation.body.kind !== "multipart";
  const timer = bounded ? setTimeout(() => patience.abort(), options.timeoutMs ?? defaultTimeoutMs) : undefined;
  const signal = parts.signal === undefined ? patience.signal : AbortSignal.any([patience.signal, parts.signal]);
  let response: Response;
  try {
    const call = options.fetch ?? globalThis.fetch;
    response = await call(url, {
      method: operation.method,
      headers,
      signal,
      ...(parts.body === undefined ? {} : { body: parts.body }),
    });
  } catch (error) {
    if (parts.signal?.aborted === true) throw error;
    throw unreachable(url.origin, error);
  } finally {
    clearTimeout(timer);
  }
  if (!response.ok) throw await errorOf(response);
  return response;
};
