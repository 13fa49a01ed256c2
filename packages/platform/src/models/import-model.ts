import type { ArtefactManifest, RegisterModel, Signature, TensorDatatype, TensorSpec } from "@modelyard/contracts";
import { type InspectedModel, type InspectedPort, inspectModel, LearnError } from "@modelyard/learn";
import {
  canonicalJson,
  type Clock,
  codeVersion,
  digestOf,
  PlatformError,
  type UploadedFile,
} from "../foundation/index.ts";
import type { BlobStore } from "../storage/blob-store.ts";
import type { ModelStore } from "./model-store.ts";
import type { StoredModelVersion } from "./model-version.ts";
import { registerVersion } from "./register-version.ts";

/** What taking a model in needs. */
export interface ImportModelDependencies {
  readonly models: ModelStore;
  readonly blobs: BlobStore;
  readonly clock: Clock;
}

/** A file to make a version of. */
interface ModelToImport {
  readonly workspaceId: string;
  readonly model: string;
  readonly options: RegisterModel;
  readonly files: AsyncIterable<UploadedFile>;
}

/** The format itself ends here. */
const fileBytesMax = 2 ** 31 - 1;

/** Element types that can be served, by their names in ONNX. */
const datatypes: Readonly<Record<string, TensorDatatype>> = {
  bool: "BOOL",
  uint8: "UINT8",
  uint16: "UINT16",
  uint32: "UINT32",
  uint64: "UINT64",
  int8: "INT8",
  int16: "INT16",
  int32: "INT32",
  int64: "INT64",
  float16: "FP16",
  float32: "FP32",
  float64: "FP64",
  string: "BYTES",
};

const toSpec = ({ name, elementType, shape }: InspectedPort): TensorSpec => {
  const datatype = datatypes[elementType];
  if (datatype !== undefined) {
    return { name, datatype, shape: shape.map((length) => (typeof length === "number" ? length : -1)) };
  }
  throw new PlatformError(
    "onnx-invalid",
    `The tensor "${name}" holds ${elementType}. Served are tensors of ${Object.keys(datatypes).join(", ")}; export the model with such tensors.`,
  );
};

const readFile = async (
  files: AsyncIterable<UploadedFile>,
): Promise<{ readonly name: string; readonly bytes: Buffer }> => {
  let found: { readonly name: string; readonly bytes: Buffer } | null = null;
  for await (const { name, stream } of files) {
    if (found !== null) {
      throw new PlatformError(
        "invalid-input",
        "A version is one ONNX file, but several came. Send the one with its weights inside.",
      );
    }
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > fileBytesMax) {
        throw new PlatformError(
          "payload-too-large",
          `An ONNX file has at most ${fileBytesMax} bytes. Send a smaller model.`,
        );
      }
      chunks.push(chunk);
    }
    found = { name: name.slice(-200), bytes: Buffer.concat(chunks, length) };
  }
  if (found !== null) return found;
  throw new PlatformError("invalid-input", "No file came. Send the ONNX file after the field `options`.");
};

const inspect = (bytes: Uint8Array): InspectedModel => {
  try {
    return inspectModel(bytes);
  } catch (error) {
    if (error instanceof LearnError) throw new PlatformError("onnx-invalid", error.message, { cause: error });
    throw error;
  }
};

/** Names of classes belong to the one output of scores; anything else would name them wrongly. */
const outputOf = (outputs: readonly TensorSpec[], { labels, scores }: RegisterModel): Signature["output"] => {
  if (labels === undefined) return { kind: "tensors" };
  const [output] = outputs;
  const width = output?.shape.at(-1);
  const fits = outputs.length === 1 && output?.datatype === "FP32" && output.shape.length === 2;
  if (fits && (width === labels.length || width === -1 || (width === 1 && labels.length === 2))) {
    return { kind: "classes", labels, scores };
  }
  const described = outputs.map(({ name, datatype, shape }) => `${name} ${datatype} [${shape.join(", ")}]`).join("; ");
  throw new PlatformError(
    "invalid-input",
    `${labels.length} labels need a graph with one output FP32 [-1, ${labels.length}], but its outputs are: ${described}. Leave the labels out to get plain values.`,
  );
};

const manifestOf = (
  { name, bytes }: { readonly name: string; readonly bytes: Uint8Array },
  digest: string,
  options: RegisterModel,
): ArtefactManifest => {
  const inspected = inspect(bytes);
  const [inputs, outputs] = [inspected.inputs.map(toSpec), inspected.outputs.map(toSpec)];
  return {
    format: 1,
    definition: null,
    signature: { input: { kind: "tensors" }, output: outputOf(outputs, options), tensors: { inputs, outputs } },
    preprocessing: [],
    labels: options.labels ?? null,
    graph: { digest, bytes: bytes.byteLength },
    weights: null,
    evaluation: null,
    lineage: {
      importedFrom: name,
      producer: inspected.producer.slice(0, 200),
      operators: [...inspected.operators],
      codeVersion,
    },
    environment: {
      node: process.version,
      onnxruntime: "",
      platform: `${process.platform}-${process.arch}`,
      opset: inspected.operatorSets[""] ?? inspected.operatorSets["ai.onnx"] ?? 0,
    },
  };
};

/**
 * Makes an uploaded ONNX file the next version of a model. Nothing native reads it before it is proved sound, and
 * nothing of it is stored when it is not.
 * @throws PlatformError `onnx-invalid`, `invalid-input`, `payload-too-large`, `disk-full`.
 */
export const importModel = async (
  { models, blobs, clock }: ImportModelDependencies,
  { workspaceId, model, options, files }: ModelToImport,
): Promise<StoredModelVersion> => {
  const file = await readFile(files);
  const artefact = manifestOf(file, digestOf(file.bytes), options);
  const graph = await blobs.put(file.bytes);
  const stored = await blobs.put(new TextEncoder().encode(canonicalJson(artefact)));
  const bytes = graph.bytes + stored.bytes;
  return registerVersion({ models, clock }, { workspaceId, model, digest: stored.digest, bytes, artefact });
};
