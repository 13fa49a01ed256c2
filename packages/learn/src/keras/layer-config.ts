import type { LayerSpec } from "../definition/definition.ts";
import { layerKinds } from "../layers/registry.ts";
import { invalidKeras } from "./invalid.ts";
import {
  activationOf,
  camelFields,
  type Config,
  constraintOf,
  initializerOf,
  isConfig,
  isCustom,
  regularizerOf,
  snake,
} from "./values.ts";

/** A layer as a file stores it. */
export interface StoredLayer {
  readonly className: string;
  readonly name: string;
  readonly config: Config;
  readonly inboundNodes: unknown;
}

/** Fields that change no result here, or only how Keras computes it. */
const idle = new Set(
  (
    "name dtype seed batchShape batchInputShape sparse ragged optional quantizationConfig loraRank loraAlpha unroll " +
    "implementation useCudnn timeMajor inputLength synchronized renormMomentum renormClipping attentionAxes " +
    "resetAfterMask flashAttention noiseShapeSeed supportsMasking inputDtype autocast"
  ).split(" "),
);

/** Fields that must have one of these values, because nothing else is known here. */
const fixed: Readonly<Record<string, readonly unknown[]>> = {
  dataFormat: ["channels_last"],
  stateful: [false],
  renorm: [false],
  virtualBatchSize: [],
  useGate: [false],
  slidingWindow: [],
  antialias: [false],
  cropToAspectRatio: [false],
  padToAspectRatio: [false],
  fillMode: ["constant"],
  fillValue: [0],
  attentionAxes: [[1]],
};

const renamed: Readonly<Record<string, string>> = { keepdims: "keepDims" };

const wrappers = new Set(["Bidirectional", "TimeDistributed"]);

/** Older names of layers and of their arguments. */
const aliases: Readonly<Record<string, string>> = {
  BatchNormalizationV1: "BatchNormalization",
  BatchNormalizationV2: "BatchNormalization",
  Convolution1D: "Conv1D",
  Convolution2D: "Conv2D",
  Convolution3D: "Conv3D",
  Convolution2DTranspose: "Conv2DTranspose",
  SeparableConvolution2D: "SeparableConv2D",
  DepthwiseConvolution2D: "DepthwiseConv2D",
};

const converted = (key: string, value: unknown, what: string): unknown => {
  if (key === "activation" || key === "recurrentActivation") return activationOf(value, what);
  if (key.endsWith("Initializer")) return initializerOf(value, what);
  if (key.endsWith("Regularizer")) return regularizerOf(value, what);
  if (key.endsWith("Constraint")) return constraintOf(value, what);
  return value;
};

const checkFixed = (key: string, value: unknown, what: string): void => {
  const accepted = fixed[key] ?? [];
  if (accepted.some((one) => JSON.stringify(one) === JSON.stringify(value))) return;
  throw invalidKeras(`${what} has ${snake(key)} ${JSON.stringify(value)}, which is not supported`);
};

const argumentsOf = (config: Config, what: string): Record<string, unknown> => {
  const args: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(camelFields(config))) {
    if (key in fixed) checkFixed(key, value, what);
    else if (key === "trainable") {
      if (value === false) args["trainable"] = false;
    } else if (!idle.has(key)) args[renamed[key] ?? key] = converted(key, value, what);
  }
  return args;
};

/** What older files call differently, or what some classes store in a form of their own. */
const adapt: Readonly<Record<string, (args: Record<string, unknown>) => Record<string, unknown>>> = {
  LeakyReLU: ({ alpha, ...rest }) => (alpha === undefined ? rest : { ...rest, negativeSlope: alpha }),
  Conv1D: (args) => single(args, ["kernelSize", "strides", "dilationRate"]),
  Cropping1D: (args) => args,
  Permute: (args) => args,
  Normalization: ({ axis, mean, variance, ...rest }) => {
    const last = JSON.stringify(axis) === "[-1]" || axis === -1 || axis === undefined;
    if (!last) throw invalidKeras("a Normalization is not over the last axis");
    const list = (value: unknown): unknown => (Array.isArray(value) ? value.flat(Infinity) : [value ?? 0]);
    return { ...rest, mean: list(mean), variance: variance === undefined ? [1] : list(variance) };
  },
  Softmax: ({ axis, ...rest }) => ({ ...rest, axis: Array.isArray(axis) && axis.length === 1 ? axis[0] : axis }),
  BatchNormalization: ({ axis, ...rest }) => ({
    ...rest,
    ...(axis === undefined ? {} : { axis: Array.isArray(axis) ? axis[0] : axis }),
  }),
};

/** Lists of one length as that length. */
const single = (args: Record<string, unknown>, keys: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(args).map(([key, value]) => [
      key,
      keys.includes(key) && Array.isArray(value) && value.length === 1 ? value[0] : value,
    ]),
  );

/** Reads what every stored layer has. */
export const storedLayer = (value: unknown): StoredLayer => {
  const { class_name: className, ...rest } = isConfig(value) ? value : {};
  if (typeof className !== "string") throw invalidKeras("it holds a layer without a class");
  const config = isConfig(rest["config"]) ? rest["config"] : {};
  const names = [rest["name"], config["name"], className];
  const name = names.find((one) => typeof one === "string") ?? className;
  if (isCustom(rest)) {
    throw invalidKeras(
      `the layer "${name}" is of the custom class ${JSON.stringify(rest["registered_name"] ?? className)}`,
    );
  }
  return { className: aliases[className] ?? className, name, config, inboundNodes: rest["inbound_nodes"] };
};

/** A layer as our definition has it. */
export const layerSpec = ({ className, name, config }: StoredLayer): LayerSpec => {
  const what = `${className} "${name}"`;
  if (className === "Lambda")
    throw invalidKeras(`the layer "${name}" is a Lambda, which holds code; code is never run`);
  if (!layerKinds.has(className))
    throw invalidKeras(`the layer "${name}" is of the class ${className}, which is not known here`);
  if (wrappers.has(className)) return { layer: className, name, ...wrapperArguments(config, what) };
  const args = argumentsOf(config, what);
  return { layer: className, name, ...(adapt[className]?.(args) ?? args) };
};

const inner = (value: unknown): LayerSpec => {
  const { name: _name, ...spec } = layerSpec(storedLayer(value));
  return spec;
};

const wrapperArguments = (config: Config, what: string): Record<string, unknown> => {
  const { layer, backward_layer: backward, merge_mode: mergeMode, zero_output_for_mask: _zero, ...rest } = config;
  if ("merge_mode" in config && mergeMode === null) {
    throw invalidKeras(`${what} gives two results apart (merge_mode None), which is not supported`);
  }
  return {
    ...argumentsOf(rest, what),
    wrapped: inner(layer),
    ...(isConfig(backward) ? { backward: inner(backward) } : {}),
    ...(typeof mergeMode === "string" ? { mergeMode } : {}),
  };
};
