import { z } from "zod";
import { ModelDefinition } from "./definition.ts";
import { Evaluation } from "./evaluation.ts";
import { LanguageModel } from "./language.ts";
import { FittedStep } from "./preprocessing.ts";
import { DatasetReference, Digest, identifier } from "./names.ts";

/** Element types of tensors, with the names of the Open Inference Protocol. */
export const TensorDatatype = z.enum([
  "BOOL",
  "UINT8",
  "UINT16",
  "UINT32",
  "UINT64",
  "INT8",
  "INT16",
  "INT32",
  "INT64",
  "FP16",
  "BF16",
  "FP32",
  "FP64",
  "BYTES",
]);
/** Element type of a tensor. */
export type TensorDatatype = z.infer<typeof TensorDatatype>;

/** A tensor of the graph; -1 stands for any size. */
export const TensorSpec = z.object({ name: z.string(), datatype: TensorDatatype, shape: z.array(z.int()) });
/** A tensor of the graph. */
export type TensorSpec = z.infer<typeof TensorSpec>;

/** What a value that is left out or `null` gets: an error, what was fitted in training, or zeros for all categories. */
const missing = z.enum(["error", "impute", "ignore"]).default("error");

/** What one prediction takes, in raw input space. */
export const SignatureInput = z.discriminatedUnion("kind", [
  /**
   * An encoded picture (PNG, JPEG, WebP…) or a nested array of whole pixels 0–255. A picture is brought to this size;
   * `null` takes any, and the preprocessing does the rest.
   */
  z.object({
    kind: z.literal("image"),
    height: z.int().nullable(),
    width: z.int().nullable(),
    channels: z.int(),
  }),
  /** A row of a table: one value per column, in this order inside the tensor. */
  z.object({
    kind: z.literal("row"),
    columns: z.array(
      z.discriminatedUnion("kind", [
        z.object({ kind: z.literal("number"), name: z.string(), missing }),
        z.object({
          kind: z.literal("category"),
          name: z.string(),
          categories: z.array(z.string()),
          missing,
          /** What a category outside the list gets: an error, or zeros for all categories. */
          unknown: z.enum(["error", "ignore"]).default("error"),
        }),
      ]),
    ),
  }),
  z.object({ kind: z.literal("tensor"), shape: z.array(z.int()), missing }),
  /** The graph's own inputs: one value, or an object with a value for each of several. */
  z.object({ kind: z.literal("tensors") }),
]);
/** What one prediction takes. */
export type SignatureInput = z.infer<typeof SignatureInput>;

/** What one prediction answers. */
export const SignatureOutput = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("classes"),
    labels: z.array(z.string()),
    /** What the graph gives: probabilities, or logits that softmax (one output: sigmoid) makes probabilities. */
    scores: z.enum(["probabilities", "logits"]).default("probabilities"),
  }),
  z.object({ kind: z.literal("number"), name: z.string() }),
  z.object({ kind: z.literal("tensor"), shape: z.array(z.int()) }),
  /** The graph's own outputs, by name. */
  z.object({ kind: z.literal("tensors") }),
]);
/** What one prediction answers. */
export type SignatureOutput = z.infer<typeof SignatureOutput>;

/** Input and output of a version: friendly form and the graph's tensors. */
export const Signature = z.object({
  input: SignatureInput,
  output: SignatureOutput,
  /** Tensors of `graph.onnx`, in its order; the first axis is the batch. */
  tensors: z.object({ inputs: z.array(TensorSpec), outputs: z.array(TensorSpec) }),
});
/** Input and output of a version. */
export type Signature = z.infer<typeof Signature>;

/** Where a version comes from that was trained here. */
export const Lineage = z.object({
  run: identifier("run"),
  dataset: DatasetReference,
  datasetDigest: Digest,
  target: z.string(),
  features: z.array(z.string()),
  split: z.object({ train: z.int(), validation: z.int(), test: z.int() }),
  seed: z.int(),
  optimizer: z.unknown(),
  /** Learning rate that the last resumption set, if any did. */
  resumedLearningRate: z.number().optional(),
  loss: z.unknown(),
  epochs: z.int(),
  batchSize: z.int(),
  /** Version of Modelyard that trained. */
  codeVersion: z.string(),
});
/** Where a version comes from that was trained here. */
export type Lineage = z.infer<typeof Lineage>;

/** Where a version comes from that was made elsewhere. */
const ImportedLineage = z.object({
  /** Name of the file as it came. */
  importedFrom: z.string(),
  /** Program that wrote the file, as it says itself. */
  producer: z.string(),
  operators: z.array(z.string()),
  /** Version of Modelyard that took it in. */
  codeVersion: z.string(),
});

/** A file of the artefact. */
export const ArtefactFile = z.object({ digest: Digest, bytes: z.int() });

/** The model artefact: everything a version is. Its digest is the version's identity. */
export const ArtefactManifest = z.object({
  /** Number of this format; readers migrate older ones. */
  format: z.literal(1),
  /** Layers, as trained; `null` for a graph that was made elsewhere. */
  definition: ModelDefinition.nullable(),
  /** `null` for language models: they take text, at `/v1`. */
  signature: Signature.nullable(),
  /** Frozen steps with their fitted constants, in order; those on values are inside the graph. */
  preprocessing: z.array(FittedStep),
  labels: z.array(z.string()).nullable(),
  /** The file that a runtime loads: an ONNX graph with preprocessing folded in where it can be, or a GGUF model. */
  graph: ArtefactFile,
  /** Weights in the engine's order, to fine-tune from. */
  weights: ArtefactFile.nullable(),
  evaluation: Evaluation.nullable(),
  lineage: z.union([Lineage, ImportedLineage]),
  environment: z.object({ node: z.string(), onnxruntime: z.string(), platform: z.string(), opset: z.int() }),
  /** What a language model is and needs; absent for all other models. */
  languageModel: LanguageModel.optional(),
});
/** The model artefact. */
export type ArtefactManifest = z.infer<typeof ArtefactManifest>;
