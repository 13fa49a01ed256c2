import { batchNormalizationLayer } from "./batch-normalization.ts";
import { conv2dLayer } from "./conv2d.ts";
import { denseLayer } from "./dense.ts";
import { activationLayer, dropoutLayer, normalizationLayer, rescalingLayer } from "./elementwise.ts";
import type { LayerKind } from "./layer.ts";
import { addLayer, concatenateLayer } from "./merging.ts";
import { averagePooling2dLayer, globalAveragePooling2dLayer, maxPooling2dLayer } from "./pooling2d.ts";
import { flattenLayer, reshapeLayer } from "./reshaping.ts";

/** Every kind of layer by its Keras name, but for `Input`, which computes nothing. */
export const layerKinds: ReadonlyMap<string, LayerKind> = new Map(
  [
    denseLayer,
    conv2dLayer,
    maxPooling2dLayer,
    averagePooling2dLayer,
    globalAveragePooling2dLayer,
    flattenLayer,
    reshapeLayer,
    dropoutLayer,
    batchNormalizationLayer,
    activationLayer,
    rescalingLayer,
    normalizationLayer,
    addLayer,
    concatenateLayer,
  ].map((kind) => [kind.layer, kind]),
);
