import { onnxGraphLayer } from "../onnx-import/onnx-graph-layer.ts";
import { preprocessingLayer } from "../preprocessing/preprocessing-layer.ts";
import { activationLayer, eluLayer, leakyReluLayer, preluLayer, reluLayer, softmaxLayer } from "./activation-layers.ts";
import { additiveAttentionLayer, attentionLayer } from "./attention/attention.ts";
import { multiHeadAttentionLayer } from "./attention/multi-head-attention.ts";
import { positionEmbeddingLayer, sinePositionEncodingLayer } from "./attention/position.ts";
import { batchNormalizationLayer } from "./batch-normalization.ts";
import { bidirectionalLayer } from "./bidirectional.ts";
import { convolutionLayers, depthwiseConvolutionLayers, separableConvolutionLayers } from "./convolution.ts";
import { denseLayer } from "./dense.ts";
import { dotLayer } from "./dot.ts";
import {
  alphaDropoutLayer,
  dropoutLayer,
  gaussianDropoutLayer,
  gaussianNoiseLayer,
  spatialDropoutLayers,
} from "./dropout.ts";
import { identityLayer, normalizationLayer, rescalingLayer } from "./elementwise.ts";
import { embeddingLayer, maskingLayer } from "./embedding.ts";
import type { LayerKind } from "./layer.ts";
import {
  groupNormalizationLayer,
  layerNormalizationLayer,
  rmsNormalizationLayer,
  unitNormalizationLayer,
} from "./layer-normalization.ts";
import { concatenateLayer, elementwiseMergingLayers } from "./merging.ts";
import { globalPoolingLayers, poolingLayers } from "./pooling.ts";
import { resizingLayer } from "./resizing.ts";
import { gruLayer } from "./recurrent/gru.ts";
import { lstmLayer } from "./recurrent/lstm.ts";
import { simpleRnnLayer } from "./recurrent/simple-rnn.ts";
import { flattenLayer, permuteLayer, repeatVectorLayer, reshapeLayer } from "./reshaping.ts";
import { croppingLayers, upSamplingLayers, zeroPaddingLayers } from "./spatial-shaping.ts";
import { timeDistributedLayer } from "./time-distributed.ts";
import { transposedConvolutionLayers } from "./transposed-convolution.ts";

/** Looks a kind up that is only known when all are; for layers around others. */
const findKind = (layer: string): LayerKind | undefined => layerKinds.get(layer);

/** Every kind of layer by its Keras name, but for `Input`, which computes nothing. */
export const layerKinds: ReadonlyMap<string, LayerKind> = new Map(
  [
    denseLayer,
    embeddingLayer,
    maskingLayer,
    ...convolutionLayers,
    ...depthwiseConvolutionLayers,
    ...separableConvolutionLayers,
    ...transposedConvolutionLayers,
    ...poolingLayers,
    ...globalPoolingLayers,
    simpleRnnLayer,
    lstmLayer,
    gruLayer,
    bidirectionalLayer(findKind),
    timeDistributedLayer(findKind),
    multiHeadAttentionLayer,
    attentionLayer,
    additiveAttentionLayer,
    positionEmbeddingLayer,
    sinePositionEncodingLayer,
    identityLayer,
    onnxGraphLayer,
    flattenLayer,
    reshapeLayer,
    permuteLayer,
    repeatVectorLayer,
    ...zeroPaddingLayers,
    ...croppingLayers,
    ...upSamplingLayers,
    dropoutLayer,
    ...spatialDropoutLayers,
    gaussianNoiseLayer,
    gaussianDropoutLayer,
    alphaDropoutLayer,
    batchNormalizationLayer,
    layerNormalizationLayer,
    rmsNormalizationLayer,
    groupNormalizationLayer,
    unitNormalizationLayer,
    activationLayer,
    reluLayer,
    leakyReluLayer,
    eluLayer,
    preluLayer,
    softmaxLayer,
    rescalingLayer,
    resizingLayer,
    normalizationLayer,
    preprocessingLayer,
    ...elementwiseMergingLayers,
    concatenateLayer,
    dotLayer,
  ].map((kind) => [kind.layer, kind]),
);
