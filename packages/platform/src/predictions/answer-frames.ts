import { constants, deflate, gunzip, gzip, inflate } from "node:zlib";
import { promisify } from "node:util";
import type { ArtefactManifest, ModelStatistics, Signature } from "@modelyard/contracts";
import { PlatformError } from "../foundation/index.ts";
import type { LoadedModel } from "../runtimes/index.ts";
import { BatchQueue, type BatchQueueOptions, type QueuedRequest, type QueueResult } from "./batch-queue.ts";
import type { Frame, FrameContent } from "./frame.ts";
import { readGrpcRequest, writeGrpcResponse } from "./grpc-inference.ts";
import type { InferenceRequest } from "./inference-request.ts";
import { readPredictInput } from "./predict-input.ts";
import { toPredictions } from "./prediction.ts";
import { readInferenceRequest } from "./read-inference-request.ts";
import { ServingStatistics } from "./serving-statistics.ts";
import { readTensorFlowRequest, writeTensorFlowResponse } from "./tensorflow-request.ts";
import { type AnsweringModel, writeInferenceResponse } from "./write-inference-response.ts";

/** What a replica serves. */
export interface ReplicaModel {
  readonly endpoint: string;
  readonly model: string;
  readonly version: number;
  readonly signature: Signature;
  readonly preprocessing: ArtefactManifest["preprocessing"];
  readonly loaded: LoadedModel;
}

/** Content encodings that bodies may have. */
export type Encoding = "gzip" | "deflate";

/** Head of an `infer` frame: what of the HTTP request the replica must know. */
export interface InferHead {
  /** Length of the JSON before binary tensors. */
  readonly headerBytes?: number;
  /** How the body is compressed. */
  readonly encoding?: Encoding;
  /** How the answer may be compressed. */
  readonly accept?: Encoding;
  /** When the answer is no longer wanted: milliseconds since 1970. */
  readonly deadline?: number;
}

/** Head of an `answer` frame. */
export interface AnswerHead {
  readonly headerBytes?: number;
  readonly encoding?: Encoding;
}

interface PredictHead {
  readonly contentType?: string;
  readonly requestId?: string;
  readonly deadline?: number;
}

const packers = { gzip: promisify(gzip), deflate: promisify(deflate) };
const unpackers = { gzip: promisify(gunzip), deflate: promisify(inflate) };
/** Smaller answers are sent sooner than they are compressed. */
const packFromBytes = 1024;

/** Time on the clock of `performance.now()` of a moment since 1970; no moment is never. */
const onOwnClock = (deadline: number | undefined): number =>
  deadline === undefined ? Number.POSITIVE_INFINITY : deadline - performance.timeOrigin;

/** The earlier of the deadlines that the transport and the request itself set. */
const deadlineOf = ({ timeoutMs }: InferenceRequest, head: unknown, { startMs }: Turn): number => {
  const { deadline } = (head ?? {}) as InferHead;
  return Math.min(onOwnClock(deadline), timeoutMs === 0 ? Number.POSITIVE_INFINITY : startMs + timeoutMs);
};

/** Turns requests of every protocol into answers: reads them, has them run with others, and writes what came out. */
export class FrameAnswerer {
  readonly #served: ReplicaModel;
  readonly #queue: BatchQueue;
  readonly #answering: AnsweringModel;
  readonly #bodyBytesMax: number;
  readonly #statistics = new ServingStatistics();

  constructor(served: ReplicaModel, options: BatchQueueOptions & { readonly bodyBytesMax: number }) {
    this.#served = served;
    this.#bodyBytesMax = options.bodyBytesMax;
    this.#queue = new BatchQueue(served.loaded, {
      ...options,
      onRun: (run) => {
        this.#statistics.ran({ ...run, nowMs: performance.timeOrigin + performance.now() });
        options.onRun?.(run);
      },
    });
    const { output } = served.signature;
    this.#answering = {
      name: served.endpoint,
      version: served.version,
      outputs: served.loaded.outputs,
      labels: output.kind === "classes" ? output.labels : null,
    };
  }

  /** What was served so far. */
  get statistics(): ModelStatistics {
    return this.#statistics.report({ name: this.#served.endpoint, version: this.#served.version });
  }

  /**
   * Answers a request.
   * @param onQueued Told when it waits, so that it can be taken out again.
   * @throws PlatformError whatever is wrong with the request or its run.
   */
  async answer(frame: Frame, onQueued: (queued: QueuedRequest) => void): Promise<FrameContent> {
    const startMs = performance.now();
    try {
      if (frame.kind === "infer") return await this.#infer(frame, { startMs, onQueued });
      if (frame.kind === "tensorflow") return await this.#tensorFlow(frame, { startMs, onQueued });
      if (frame.kind === "grpc") return await this.#grpc(frame, { startMs, onQueued });
      if (frame.kind === "predict") return await this.#predict(frame, { startMs, onQueued });
      return { body: Buffer.from(JSON.stringify(this.statistics)) };
    } catch (error) {
      this.#statistics.failed(performance.now() - startMs);
      throw error;
    }
  }

  async #run<T>(
    request: Pick<InferenceRequest, "tensors" | "priority"> & { readonly deadlineMs: number },
    { startMs, onQueued }: Turn,
    encode: (result: QueueResult) => T,
  ): Promise<T> {
    const parsedMs = performance.now();
    const queued = this.#queue.add(request);
    onQueued(queued);
    const result = await queued.result;
    const ranMs = performance.now();
    const answer = encode(result);
    this.#statistics.answered({
      parseMs: parsedMs - startMs,
      queueMs: result.queueMs,
      runMs: result.runMs,
      encodeMs: performance.now() - ranMs,
    });
    return answer;
  }

  async #infer({ head, body }: Frame, turn: Turn): Promise<FrameContent> {
    const { headerBytes = null, encoding, accept } = (head ?? {}) as InferHead;
    const plain = encoding === undefined ? body : await this.#unpack(body, encoding);
    const request = readInferenceRequest(plain, headerBytes, this.#served.loaded);
    const deadlineMs = deadlineOf(request, head, turn);
    const answer = await this.#run({ ...request, deadlineMs }, turn, ({ outputs }) =>
      writeInferenceResponse(request, outputs, this.#answering),
    );
    const answerHead = answer.headerBytes === null ? null : { headerBytes: answer.headerBytes };
    return accept === undefined
      ? { head: answerHead, body: answer.body }
      : this.#pack({ head: answerHead, body: answer.body }, accept);
  }

  async #grpc({ head, body }: Frame, turn: Turn): Promise<FrameContent> {
    const request = readGrpcRequest(body, this.#served.loaded);
    const deadlineMs = deadlineOf(request, head, turn);
    return this.#run({ ...request, deadlineMs }, turn, ({ outputs }) => ({
      body: writeGrpcResponse(request, outputs, this.#answering),
    }));
  }

  async #tensorFlow({ head, body }: Frame, turn: Turn): Promise<FrameContent> {
    const { encoding, deadline } = (head ?? {}) as InferHead;
    const plain = encoding === undefined ? body : await this.#unpack(body, encoding);
    const request = readTensorFlowRequest(plain, this.#served.loaded);
    const deadlineMs = onOwnClock(deadline);
    return this.#run({ ...request, deadlineMs }, turn, ({ outputs }) => ({
      body: writeTensorFlowResponse(request, outputs, this.#answering),
    }));
  }

  async #predict({ head, body }: Frame, turn: Turn): Promise<FrameContent> {
    const { signature, endpoint, model, version } = this.#served;
    const { contentType = "", requestId: id = "", deadline } = (head ?? {}) as PredictHead;
    const tensors = await readPredictInput({ body, contentType }, this.#served, this.#served.loaded);
    return this.#run({ tensors, priority: 0, deadlineMs: onOwnClock(deadline) }, turn, ({ outputs }) => {
      const predictions = toPredictions(outputs, signature, this.#answering.outputs);
      return { body: Buffer.from(JSON.stringify({ id, endpoint, model, version, predictions })) };
    });
  }

  async #unpack(body: Uint8Array, encoding: Encoding): Promise<Uint8Array> {
    try {
      return await unpackers[encoding](body, { maxOutputLength: this.#bodyBytesMax });
    } catch (cause) {
      if (cause instanceof RangeError || (cause as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") {
        throw new PlatformError(
          "payload-too-large",
          `The body is larger than ${this.#bodyBytesMax} bytes when decompressed. Send fewer inputs at once.`,
          { cause },
        );
      }
      throw new PlatformError(
        "gzip-invalid",
        `The body is no ${encoding} stream. Compress it again, or send it plain.`,
        {
          cause,
        },
      );
    }
  }

  async #pack(
    content: { readonly head: AnswerHead | null; readonly body: readonly Uint8Array[] },
    encoding: Encoding,
  ): Promise<FrameContent> {
    const plain = Buffer.concat(content.body);
    if (plain.length < packFromBytes) return content;
    const body = await packers[encoding](plain, { level: constants.Z_BEST_SPEED });
    return { head: { ...content.head, encoding }, body };
  }
}

/** One request's time of arrival, and who must know that it waits. */
interface Turn {
  readonly startMs: number;
  readonly onQueued: (queued: QueuedRequest) => void;
}
