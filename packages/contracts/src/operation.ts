import type { z } from "zod";
import type { ErrorCode } from "./errors.ts";
import type { Scope } from "./scopes.ts";

/** HTTP methods that operations use. */
export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** An object schema for the parts of a request that arrive as text (path and query). */
export type FieldsSchema = z.ZodObject;

/** What a request's body is. */
export type RequestBody<S extends z.ZodType = z.ZodType> =
  | { readonly kind: "none" }
  | { readonly kind: "json"; readonly schema: S }
  /** `multipart/form-data`: first a field `options` holding JSON of the schema, then files in order. */
  | { readonly kind: "multipart"; readonly schema: S }
  /** Bytes of one of the named content types (or JSON when named), handed on as they come. */
  | { readonly kind: "bytes"; readonly contentTypes: readonly string[]; readonly schema?: S };

/** What a success answer is. */
export type ResponseBody<S extends z.ZodType = z.ZodType> =
  | { readonly kind: "none"; readonly status: number }
  | { readonly kind: "json"; readonly status: number; readonly schema: S }
  /** Server-sent events; each event's data is JSON of the schema, `id:` is its `sequence`. */
  | { readonly kind: "events"; readonly status: number; readonly schema: S }
  | { readonly kind: "bytes"; readonly status: number; readonly contentType: string }
  | { readonly kind: "text"; readonly status: number; readonly contentType: string };

/** One thing a client can do: the single source of router, OpenAPI, SDK, CLI help, permissions and docs. */
export interface Operation<
  P extends FieldsSchema = FieldsSchema,
  Q extends FieldsSchema = FieldsSchema,
  B extends RequestBody = RequestBody,
  R extends ResponseBody = ResponseBody,
> {
  /** `noun.verb`, unique. */
  readonly id: string;
  readonly method: Method;
  /** Path with `{parameters}`. */
  readonly path: string;
  /** Scope that the key must hold; `public` needs no key. */
  readonly scope: Scope | "public";
  /** The process that answers. */
  readonly served: "control-plane" | "gateway";
  /** One sentence, imperative, without a full stop. */
  readonly summary: string;
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly response: R;
  /** Codes beyond those any operation may answer with. */
  readonly errors: readonly ErrorCode[];
  /** Takes an `Idempotency-Key`: sent again with the same key, a request has its effect once and the same answer. */
  readonly once?: true;
}

/** Declares an operation, keeping the precise types of its schemas. */
export const operation = <
  const P extends FieldsSchema,
  const Q extends FieldsSchema,
  const B extends RequestBody,
  const R extends ResponseBody,
  const Path extends string,
>(
  declaration: Operation<P, Q, B, R> & { readonly path: Path },
): Operation<P, Q, B, R> & { readonly path: Path } => declaration;

/** Path parameters of an operation, parsed. */
export type ParamsOf<O extends Operation> = z.output<O["params"]>;
/** Query of an operation as the server reads it. */
export type QueryOf<O extends Operation> = z.output<O["query"]>;
/** Query of an operation as a client writes it. */
export type QueryInputOf<O extends Operation> = z.input<O["query"]>;
/** Body of an operation as the server reads it; for bytes `undefined`. */
export type BodyOf<O extends Operation> = O["body"] extends { kind: "json" | "multipart"; schema: infer S }
  ? S extends z.ZodType
    ? z.output<S>
    : undefined
  : undefined;
/** Body of an operation as a client writes it. */
export type BodyInputOf<O extends Operation> = O["body"] extends { kind: "json" | "multipart"; schema: infer S }
  ? S extends z.ZodType
    ? z.input<S>
    : undefined
  : undefined;
/** Success answer of a JSON operation, or one event of an events operation. */
export type ResponseOf<O extends Operation> = O["response"] extends { kind: "json" | "events"; schema: infer S }
  ? S extends z.ZodType
    ? z.output<S>
    : undefined
  : undefined;
