import { activationLayer, eluLayer, leakyReluLayer, preluLayer, reluLayer, softmaxLayer } from "./activation-layers.ts";
import { batchNormalizationLayer } from "./batch-normalization.ts";
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
import { normalizationLayer, rescalingLayer } from "./elementwise.ts";
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
import { flattenLayer, permuteLayer, repeatVectorLayer, reshapeLayer } from "./reshaping.ts";
import { croppingLayers, upSamplingLayers, zeroPaddingLayers } from "./spatial-shaping.ts";
import { transposedConvolutionLayers } from "./transposed-convolution.ts";

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
    normalizationLayer,
    ...elementwiseMergingLayers,
    concatenateLayer,
    dotLayer,
  ].map((kind) => [kind.layer, kind]),
);
