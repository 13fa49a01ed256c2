import type {
  BodyInputOf,
  ImportDataset,
  ImportEvent,
  ModelVersion,
  Operation,
  OperationId,
  Operations,
  PredictResponse,
  QueryInputOf,
  RegisterModel,
  ResponseOf,
  Run,
  RunEvent,
} from "@modelyard/contracts";
import type { z } from "zod";

/** `alias-history` as `aliasHistory`. */
export type CamelCase<Text extends string> = Text extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Text;

/** Values of a path's parameters in their order, e.g. `[name: string, version: number]`. */
type PathArguments<Path extends string, Params> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? [Name extends keyof Params ? Params[Name] : string, ...PathArguments<Rest, Params>]
  : [];

/** Settings of one call. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** Makes it safe to send the request again: with the same key it has its effect once. For operations that take one. */
  readonly idempotencyKey?: string | undefined;
}

/** A body as a client may hold it: nothing of it is changed, so that constants and frozen values fit too. */
export type Given<T> = T extends readonly (infer Item)[]
  ? readonly Given<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Given<T[Key]> }
    : T;

type BodyArguments<O extends Operation> = O["body"] extends { kind: "json" } ? [body: Given<BodyInputOf<O>>] : [];
type QueryArguments<O extends Operation> =
  QueryInputOf<O> extends Record<string, never> ? [] : QueryArgument<QueryInputOf<O>>;
type QueryArgument<Q> = Partial<Q> extends Q ? [query?: Q] : [query: Q];

/** What a call answers, by the kind of the operation's response. */
type Answer<O extends Operation> = O["response"] extends { kind: "none" }
  ? Promise<void>
  : O["response"] extends { kind: "events" }
    ? AsyncIterable<ResponseOf<O>>
    : O["response"] extends { kind: "bytes" }
      ? Promise<Uint8Array>
      : O["response"] extends { kind: "text" }
        ? Promise<string>
        : Promise<ResponseOf<O>>;

/** An operation as a method: path parameters, then body or query, then settings. */
export type Method<O extends Operation> = (
  ...parts: [
    ...PathArguments<O["path"], z.input<O["params"]>>,
    ...BodyArguments<O>,
    ...QueryArguments<O>,
    options?: CallOptions,
  ]
) => Answer<O>;

/** Methods of one noun. */
export type Group<Noun extends string> = {
  readonly [Id in OperationId as Id extends `${Noun}.${infer Verb}` ? CamelCase<Verb> : never]: Method<Operations[Id]>;
};

/** A file of an import: its name, folders included, and its bytes. */
export interface ImportFile {
  readonly name: string;
  readonly content: Blob | Uint8Array<ArrayBuffer>;
}

/** What to predict from: an image file, one input, or many. */
export type PredictInput =
  | { readonly image: Blob | Uint8Array<ArrayBuffer> }
  | { readonly input: unknown }
  | { readonly inputs: readonly unknown[] };

/** Imports take files. */
export interface DatasetMethods extends Omit<Group<"datasets">, "import"> {
  /** Imports files as a new version and tells of the progress; the last event is `completed`. */
  import(
    name: string,
    options: Given<z.input<typeof ImportDataset>>,
    files: readonly ImportFile[],
  ): AsyncIterable<ImportEvent>;
}

/** Registering takes a file. */
export interface ModelMethods extends Omit<Group<"models">, "register"> {
  /** Registers an ONNX or GGUF file as the next version of a model. */
  register(name: string, options: z.input<typeof RegisterModel>, file: ImportFile): Promise<ModelVersion>;
}

type LanguageRequest<Id extends keyof Operations> = z.input<
  Extract<Operations[Id]["body"], { schema: z.ZodType }>["schema"]
>;

/** OpenAI's API as plain calls; its own clients work too, with `<url>/v1` as their base. */
export interface LanguageMethods extends Pick<Group<"v1">, "models"> {
  chatCompletions(request: LanguageRequest<"v1.chat-completions">, options?: CallOptions): Promise<unknown>;
  completions(request: LanguageRequest<"v1.completions">, options?: CallOptions): Promise<unknown>;
  embeddings(request: LanguageRequest<"v1.embeddings">, options?: CallOptions): Promise<unknown>;
  tokenize(request: LanguageRequest<"v1.tokenize">, options?: CallOptions): Promise<unknown>;
  detokenize(request: LanguageRequest<"v1.detokenize">, options?: CallOptions): Promise<unknown>;
  /** A chat's answer as it is made: the chunks of OpenAI's stream. */
  streamChat(request: LanguageRequest<"v1.chat-completions">, options?: CallOptions): AsyncIterable<ChatChunk>;
}

/** A part of a streamed answer to a chat. */
export interface ChatChunk {
  readonly choices: readonly {
    readonly index: number;
    readonly delta: { readonly role?: string; readonly content?: string | null };
    readonly finish_reason: string | null;
  }[];
  readonly usage?: { readonly prompt_tokens: number; readonly completion_tokens: number } | null;
  /** What ended the answer early. */
  readonly error?: { readonly message: string; readonly code: string };
}

/** Runs can be waited for. */
export interface RunMethods extends Omit<Group<"runs">, "watch"> {
  /** A run's events until it is over; a broken connection is taken up where it broke. */
  watch(id: string, query?: { readonly after?: number }, options?: CallOptions): AsyncIterable<RunEvent>;
  /** Waits until a run is over. @param onEvent Told of everything that happens on the way. */
  wait(id: string, onEvent?: (event: RunEvent) => void, options?: CallOptions): Promise<Run>;
}

/** Predictions take images as well as JSON. */
export interface EndpointMethods extends Omit<Group<"endpoints">, "predict"> {
  predict(name: string, input: PredictInput, options?: CallOptions): Promise<PredictResponse>;
}

/** Inference takes the protocol's JSON. */
export interface InferenceMethods extends Omit<Group<"v2">, "infer" | "versionInfer"> {
  /** @param options With `version`, only that version answers. */
  infer(
    name: string,
    request: Given<z.input<Operations["v2.infer"]["body"]["schema"]>>,
    options?: CallOptions & { readonly version?: number },
  ): Promise<ResponseOf<Operations["v2.infer"]>>;
}

/** A request and answer of TensorFlow Serving: rows as `instances` and `predictions`, or columns. */
type TensorFlowPredict = Operations["tensorflow.predict"];

/** TensorFlow Serving's JSON. */
export interface TensorFlowMethods extends Omit<Group<"tensorflow">, "predict" | "versionPredict" | "labelPredict"> {
  /** @param options With `version` or `label`, only the version that it names answers. */
  predict(
    name: string,
    request: Given<z.input<TensorFlowPredict["body"]["schema"]>>,
    options?: CallOptions & { readonly version?: number; readonly label?: string },
  ): Promise<ResponseOf<TensorFlowPredict>>;
}
