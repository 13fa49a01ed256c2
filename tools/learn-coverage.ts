import { gradientRules, withoutGradient } from "../packages/learn/src/autodiff/differentiate.ts";
import { initializerNames } from "../packages/learn/src/initializers/index.ts";
import { activationNames } from "../packages/learn/src/layers/activation-config.ts";
import { layerKinds } from "../packages/learn/src/layers/registry.ts";
import { inferenceRules } from "../packages/learn/src/onnx/inference/infer.ts";

/** The layers of Keras 3 by family. */
const kerasLayers: Readonly<Record<string, string>> = {
  Core: "Dense EinsumDense Embedding Identity Input Lambda Masking Wrapper",
  Convolution:
    "Conv1D Conv2D Conv3D Conv1DTranspose Conv2DTranspose Conv3DTranspose DepthwiseConv1D DepthwiseConv2D " +
    "SeparableConv1D SeparableConv2D",
  Pooling:
    "AveragePooling1D AveragePooling2D AveragePooling3D MaxPooling1D MaxPooling2D MaxPooling3D " +
    "GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D GlobalMaxPooling1D GlobalMaxPooling2D " +
    "GlobalMaxPooling3D AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveAveragePooling3D " +
    "AdaptiveMaxPooling1D AdaptiveMaxPooling2D AdaptiveMaxPooling3D",
  Recurrent:
    "SimpleRNN LSTM GRU Bidirectional TimeDistributed RNN StackedRNNCells SimpleRNNCell LSTMCell GRUCell ConvLSTM1D " +
    "ConvLSTM2D ConvLSTM3D",
  Attention: "Attention AdditiveAttention MultiHeadAttention GroupQueryAttention",
  Normalization:
    "BatchNormalization LayerNormalization RMSNormalization GroupNormalization UnitNormalization " +
    "SpectralNormalization",
  Regularization:
    "Dropout SpatialDropout1D SpatialDropout2D SpatialDropout3D GaussianDropout GaussianNoise AlphaDropout " +
    "ActivityRegularization",
  Reshaping:
    "Flatten Reshape Permute RepeatVector Cropping1D Cropping2D Cropping3D UpSampling1D UpSampling2D UpSampling3D " +
    "ZeroPadding1D ZeroPadding2D ZeroPadding3D",
  Merging: "Add Subtract Multiply Average Maximum Minimum Concatenate Dot",
  Activation: "Activation ReLU LeakyReLU PReLU ELU Softmax",
  Preprocessing:
    "Rescaling Resizing Normalization CenterCrop CategoryEncoding Discretization Hashing HashedCrossing IntegerLookup " +
    "StringLookup TextVectorization MelSpectrogram STFTSpectrogram RandomFlip RandomRotation RandomZoom RandomCrop " +
    "RandomBrightness RandomContrast RandomTranslation",
};

/** Why a layer of Keras is not there, or what stands for it. */
const instead: Readonly<Record<string, string>> = {
  Input: "declares inputs; not a kind of its own",
  Lambda: "refused: it holds code, and code is never run",
  Wrapper: "abstract in Keras",
  RNN: "takes cells of one's own, which are code; SimpleRNN, LSTM and GRU stand for it",
  StackedRNNCells: "stack recurrent layers",
  SimpleRNNCell: "part of SimpleRNN",
  LSTMCell: "part of LSTM",
  GRUCell: "part of GRU",
  ActivityRegularization: "every layer takes activityRegularizer",
};

/** Activations of Keras 3. */
const kerasActivations =
  "celu elu exponential gelu glu hard_shrink hard_sigmoid hard_silu hard_tanh leaky_relu linear log_sigmoid log_softmax mish " +
  "relu relu6 selu sigmoid silu soft_shrink softmax softplus softsign sparse_plus sparse_sigmoid sparsemax squareplus " +
  "tanh tanh_shrink threshold";

/** Initializers of Keras 3. */
const kerasInitializers =
  "zeros ones constant identity random_uniform random_normal truncated_normal variance_scaling glorot_uniform " +
  "glorot_normal he_uniform he_normal lecun_uniform lecun_normal orthogonal stft";

/** ONNX's own operators, up to operator set 21. */
const onnxOperators =
  "Abs Acos Acosh Add AffineGrid And ArgMax ArgMin Asin Asinh Atan Atanh AveragePool BatchNormalization Bernoulli " +
  "BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor BlackmanWindow Cast CastLike Ceil Celu CenterCropPad Clip Col2Im " +
  "Compress Concat ConcatFromSequence Constant ConstantOfShape Conv ConvInteger ConvTranspose Cos Cosh CumSum DFT " +
  "DeformConv DepthToSpace DequantizeLinear Det Div Dropout DynamicQuantizeLinear Einsum Elu Equal Erf Exp Expand " +
  "EyeLike Flatten Floor GRU Gather GatherElements GatherND Gelu Gemm GlobalAveragePool GlobalLpPool GlobalMaxPool " +
  "Greater GreaterOrEqual GridSample GroupNormalization HammingWindow HannWindow HardSigmoid HardSwish Hardmax Identity " +
  "If InstanceNormalization IsInf IsNaN LRN LSTM LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax Loop " +
  "LpNormalization LpPool MatMul MatMulInteger Max MaxPool MaxRoiPool MaxUnpool Mean MeanVarianceNormalization " +
  "MelWeightMatrix Min Mish Mod Mul Multinomial Neg NegativeLogLikelihoodLoss NonMaxSuppression NonZero Not OneHot Or " +
  "PRelu Pad Pow QLinearConv QLinearMatMul QuantizeLinear RNN RandomNormal RandomNormalLike RandomUniform " +
  "RandomUniformLike Range Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin " +
  "ReduceProd ReduceSum ReduceSumSquare RegexFullMatch Relu Reshape Resize ReverseSequence RoiAlign Round STFT Scan " +
  "ScatterElements ScatterND Selu SequenceAt SequenceConstruct SequenceEmpty Shape Shrink Sigmoid Sign Sin Sinh Size " +
  "Slice Softmax SoftmaxCrossEntropyLoss Softplus Softsign SpaceToDepth Split SplitToSequence Sqrt Squeeze StringConcat " +
  "StringNormalizer StringSplit Sub Sum Tan Tanh TfIdfVectorizer ThresholdedRelu Tile TopK Transpose Trilu Unique " +
  "Unsqueeze Where Xor";

const words = (text: string): string[] => text.split(" ");
const code = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(", ") || "none";

const compared = (family: string, all: readonly string[], known: (name: string) => boolean): readonly string[] => {
  const present = all.filter(known);
  const missing = all.filter((name) => !known(name) && instead[name] === undefined);
  return [family, `${present.length} of ${present.length + missing.length}`, code(missing)];
};

const layerSection = (): readonly (readonly string[])[] => {
  const has = (name: string): boolean => layerKinds.has(name);
  return Object.entries(kerasLayers).map(([family, names]) => compared(family, words(names), has));
};

/** Operators that are written as others, or expanded, when a graph is imported for training. */
const rewritten = new Set(["Constant", "LSTM", "GRU", "Gelu"]);

const gradientOf = (operator: string): "gradient" | "constant" | "none" => {
  if (withoutGradient.has(operator)) return "constant";
  return gradientRules.has(operator) || rewritten.has(operator) ? "gradient" : "none";
};

/** `learn-coverage.md`: what `learn` has of Keras and ONNX, and what it has not. */
export const learnCoverage = (
  table: (heads: readonly string[], rows: readonly (readonly string[])[]) => string,
): string[] => {
  const known = new Set(Object.values(kerasLayers).flatMap(words));
  const own = [...layerKinds.keys()].filter((name) => !known.has(name));
  const operators = words(onnxOperators);
  const imported = (operator: string): boolean => inferenceRules.has(operator) || operator === "Constant";
  const byGradient = (kind: ReturnType<typeof gradientOf>): readonly string[] =>
    operators.filter((operator) => imported(operator) && gradientOf(operator) === kind);
  const stubs = Object.entries(instead).map(([name, reason]) => [`\`${name}\``, reason]);
  return [
    "Made from the registries of `@modelyard/learn`. Every layer is checked by central differences, every gradient rule too.",
    "## Layers of Keras 3",
    table(["family", "there", "missing"], layerSection()),
    table(["layer of Keras", "why it is no kind of ours"], stubs),
    `Beyond Keras: ${code(own)}.`,
    "## Activations and initializers of Keras 3",
    table(
      ["kind", "there", "missing"],
      [
        compared("activations", words(kerasActivations), (name) => activationNames.some((one) => one === name)),
        compared(
          "initializers",
          words(kerasInitializers),
          (name) => name === "constant" || initializerNames.some((one) => one === name),
        ),
      ],
    ),
    "## Operators of ONNX (operator set 21)",
    table(
      ["an imported graph that holds", "number", "operators"],
      [
        ["can be trained through", String(byGradient("gradient").length), code(byGradient("gradient"))],
        [
          "is piecewise constant there: no gradient flows",
          String(byGradient("constant").length),
          code(byGradient("constant")),
        ],
        ["can be read, and trained behind it only", String(byGradient("none").length), code(byGradient("none"))],
        [
          "is refused by `importOnnx`",
          String(operators.filter((operator) => !imported(operator)).length),
          code(operators.filter((operator) => !imported(operator))),
        ],
      ],
    ),
  ];
};
