import {
  type ImportEvent,
  type ModelVersion,
  type Operation,
  type OperationId,
  operations,
  type PredictResponse,
  type Run,
  type RunEvent,
} from "@modelyard/contracts";
import type {
  CallOptions,
  DatasetMethods,
  EndpointMethods,
  Group,
  ImportFile,
  ChatChunk,
  InferenceMethods,
  LanguageMethods,
  ModelMethods,
  PredictInput,
  RunMethods,
  TensorFlowMethods,
} from "./client-types.ts";
import { cutOff, ModelyardError } from "./modelyard-error.ts";
import { readEvents } from "./read-events.ts";
import { type ClientOptions, type Parts, send } from "./send.ts";

type AnyMethod = (...parts: readonly unknown[]) => unknown;

const reconnectsMax = 20;
const reconnectEveryMs = 500;

const answerOf = async (operation: Operation, response: Response): Promise<unknown> => {
  switch (operation.response.kind) {
    case "json":
      return response.json();
    case "bytes":
      return new Uint8Array(await response.arrayBuffer());
    case "text":
      return response.text();
    case "none":
    case "events":
      await response.arrayBuffer();
      return undefined;
  }
};

async function* eventsOf(options: ClientOptions, operation: Operation, parts: Parts): AsyncGenerator {
  yield* readEvents(await send(options, operation, parts));
}

/** Number of parameters that a path holds. */
const pathArity = (path: string): number => path.split("{").length - 1;

const methodOf =
  (options: ClientOptions, operation: Operation): AnyMethod =>
  (...given) => {
    const arity = pathArity(operation.path);
    const params = given.slice(0, arity);
    const rest = given.slice(arity);
    const json =
      operation.body.kind === "json"
        ? { body: JSON.stringify(rest.shift() ?? {}), contentType: "application/json" }
        : {};
    const query = Object.keys(operation.query.shape).length > 0 ? (rest.shift() as object | undefined) : undefined;
    const { signal, idempotencyKey } = (rest.shift() as CallOptions | undefined) ?? {};
    const headers = idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey };
    const parts: Parts = { params, ...json, query, signal, headers };
    if (operation.response.kind === "events") return eventsOf(options, operation, parts);
    return send(options, operation, parts).then((response) => answerOf(operation, response));
  };

const camelCase = (text: string): string => text.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

/** Methods of a noun, made from the operations table: what the table holds, the client has. */
const groupOf = <Noun extends string>(options: ClientOptions, noun: Noun): Group<Noun> => {
  const methods: Record<string, AnyMethod> = {};
  for (const id of Object.keys(operations) as OperationId[]) {
    const [own, verb = ""] = id.split(".");
    if (own === noun) methods[camelCase(verb)] = methodOf(options, operations[id]);
  }
  // The loop makes exactly the methods that the type derives from the same table.
  return methods as unknown as Group<Noun>;
};

const imageTypes: readonly (readonly [string, readonly number[]])[] = [
  ["image/png", [0x89, 0x50, 0x4e, 0x47]],
  ["image/jpeg", [0xff, 0xd8, 0xff]],
  ["image/webp", [0x52, 0x49, 0x46, 0x46]],
];

const imageType = async (image: Blob): Promise<string> => {
  const start = new Uint8Array(await image.slice(0, 4).arrayBuffer());
  return imageTypes.find(([, magic]) => magic.every((byte, i) => start[i] === byte))?.[0] ?? "image/png";
};

const blobOf = (content: Blob | Uint8Array<ArrayBuffer>): Blob =>
  content instanceof Blob ? content : new Blob([content]);

const datasetMethods = (options: ClientOptions): DatasetMethods => ({
  ...groupOf(options, "datasets"),
  import: (name, request, files) => {
    const form = new FormData();
    form.append("options", JSON.stringify(request));
    for (const file of files satisfies readonly ImportFile[]) form.append("files", blobOf(file.content), file.name);
    const operation = operations["datasets.import"];
    async function* events(): AsyncGenerator<ImportEvent> {
      let completed = false;
      for await (const event of readEvents<ImportEvent>(
        await send(options, operation, { params: [name], body: form }),
      )) {
        completed ||= event.type === "completed";
        if (event.type !== "failed") {
          yield event;
          continue;
        }
        throw new ModelyardError({ code: event.code, status: 422, detail: event.detail, retryable: false });
      }
      if (!completed) throw cutOff("the import");
    }
    return events();
  },
});

const modelMethods = (options: ClientOptions): ModelMethods => ({
  ...groupOf(options, "models"),
  register: async (name, request, file) => {
    const form = new FormData();
    form.append("options", JSON.stringify(request));
    form.append("files", blobOf(file.content), file.name);
    const response = await send(options, operations["models.register"], { params: [name], body: form });
    return response.json() as Promise<ModelVersion>;
  },
});

const runMethods = (options: ClientOptions): RunMethods => {
  const group = groupOf(options, "runs");
  async function* watch(
    id: string,
    query: { readonly after?: number } = {},
    call: CallOptions = {},
  ): AsyncGenerator<RunEvent> {
    let after = query.after ?? 0;
    for (let failures = 0; ;) {
      try {
        for await (const event of group.watch(id, { after }, call)) {
          after = event.sequence;
          failures = 0;
          yield event;
        }
        return;
      } catch (error) {
        const again = error instanceof ModelyardError && error.retryable && ++failures <= reconnectsMax;
        if (!again || call.signal?.aborted === true) throw error;
        await new Promise((done) => setTimeout(done, reconnectEveryMs));
      }
    }
  }
  const wait = async (id: string, onEvent?: (event: RunEvent) => void, call?: CallOptions): Promise<Run> => {
    for await (const event of watch(id, {}, call)) onEvent?.(event);
    return group.show(id, call);
  };
  return { ...group, watch, wait };
};

const endpointMethods = (options: ClientOptions): EndpointMethods => ({
  ...groupOf(options, "endpoints"),
  predict: async (name, input: PredictInput, call = {}) => {
    const parts: Parts = { params: [name], signal: call.signal };
    const operation = operations["endpoints.predict"];
    if (!("image" in input)) {
      const json = { body: JSON.stringify(input), contentType: "application/json" };
      return (await send(options, operation, { ...parts, ...json })).json() as Promise<PredictResponse>;
    }
    const image = blobOf(input.image);
    const file = { body: image, contentType: await imageType(image) };
    return (await send(options, operation, { ...parts, ...file })).json() as Promise<PredictResponse>;
  },
});

const inferenceMethods = (options: ClientOptions): InferenceMethods => ({
  ...groupOf(options, "v2"),
  infer: async (name, request, call = {}) => {
    const { version, signal } = call;
    const json = { body: JSON.stringify(request), contentType: "application/json", signal };
    const response =
      version === undefined
        ? await send(options, operations["v2.infer"], { params: [name], ...json })
        : await send(options, operations["v2.version-infer"], { params: [name, version], ...json });
    return response.json() as ReturnType<InferenceMethods["infer"]>;
  },
});

const tensorFlowMethods = (options: ClientOptions): TensorFlowMethods => ({
  ...groupOf(options, "tensorflow"),
  predict: async (name, request, call = {}) => {
    const { version, label, signal } = call;
    const json = { body: JSON.stringify(request), contentType: "application/json", signal };
    const [operation, params] =
      version !== undefined
        ? [operations["tensorflow.version-predict"], [name, version]]
        : label !== undefined
          ? [operations["tensorflow.label-predict"], [name, label]]
          : [operations["tensorflow.predict"], [name]];
    const response = await send(options, operation, { params, ...json });
    return response.json() as ReturnType<TensorFlowMethods["predict"]>;
  },
});

const languageMethods = (options: ClientOptions): LanguageMethods => {
  type LanguageId = Extract<OperationId, `v1.${string}`>;
  const post = (id: LanguageId, request: unknown, call: CallOptions = {}): Promise<Response> =>
    send(options, operations[id], {
      params: [],
      body: JSON.stringify(request),
      contentType: "application/json",
      signal: call.signal,
    });
  const ask =
    (id: LanguageId) =>
    async (request: unknown, call?: CallOptions): Promise<unknown> =>
      (await post(id, request, call)).json() as Promise<unknown>;
  async function* streamChat(request: object, call?: CallOptions): AsyncGenerator<ChatChunk> {
    yield* readEvents<ChatChunk>(await post("v1.chat-completions", { ...request, stream: true }, call));
  }
  return {
    models: groupOf(options, "v1").models,
    chatCompletions: ask("v1.chat-completions"),
    completions: ask("v1.completions"),
    embeddings: ask("v1.embeddings"),
    tokenize: ask("v1.tokenize"),
    detokenize: ask("v1.detokenize"),
    streamChat,
  };
};

/**
 * A Modelyard platform as an object: a group of methods per noun, a method per operation. Works in Node and browsers.
 * Every method throws {@link ModelyardError} with the platform's code when the answer is no success.
 */
export class Modelyard {
  readonly workspaces: Group<"workspaces">;
  readonly members: Group<"members">;
  readonly keys: Group<"keys">;
  readonly audit: Group<"audit">;
  readonly datasets: DatasetMethods;
  readonly experiments: Group<"experiments">;
  readonly runs: RunMethods;
  readonly models: ModelMethods;
  readonly endpoints: EndpointMethods;
  readonly v1: LanguageMethods;
  readonly v2: InferenceMethods;
  readonly tensorflow: TensorFlowMethods;
  readonly system: Group<"system">;

  constructor(options: ClientOptions) {
    this.workspaces = groupOf(options, "workspaces");
    this.members = groupOf(options, "members");
    this.keys = groupOf(options, "keys");
    this.audit = groupOf(options, "audit");
    this.datasets = datasetMethods(options);
    this.experiments = groupOf(options, "experiments");
    this.runs = runMethods(options);
    this.models = modelMethods(options);
    this.endpoints = endpointMethods(options);
    this.v1 = languageMethods(options);
    this.v2 = inferenceMethods(options);
    this.tensorflow = tensorFlowMethods(options);
    this.system = groupOf(options, "system");
  }
}
