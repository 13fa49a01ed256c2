import { type GradientCases, image, op } from "./gradient-case.ts";

/** Convolutions and poolings over sequences, images and volumes. */
export const spatialCases: GradientCases = {
  Conv: { ...image, shapes: [[2, 3, 6, 5], [4, 3, 3, 2], [4]], build: op("Conv", { kernel_shape: [3, 2] }) },
  "Conv strided, padded": {
    ...image,
    shapes: [[2, 2, 7, 6], [3, 2, 3, 3], [3]],
    build: op("Conv", { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 0, 1, 1] }),
  },
  "Conv dilated": {
    ...image,
    shapes: [
      [2, 2, 7, 7],
      [2, 2, 2, 2],
    ],
    build: op("Conv", { kernel_shape: [2, 2], dilations: [2, 2], strides: [2, 1] }),
  },
  "Conv of many channels": {
    ...image,
    shapes: [
      [2, 9, 5, 4],
      [3, 9, 3, 2],
    ],
    build: op("Conv", { kernel_shape: [3, 2], strides: [2, 1], pads: [1, 0, 1, 1] }),
  },
  "Conv with a large kernel": {
    ...image,
    shapes: [
      [2, 2, 7, 8],
      [3, 2, 5, 6],
    ],
    build: op("Conv", { kernel_shape: [5, 6], pads: [1, 2, 1, 2] }),
  },
  "Conv grouped": {
    ...image,
    shapes: [[2, 4, 5, 5], [6, 2, 3, 3], [6]],
    build: op("Conv", { kernel_shape: [3, 3], group: 2, pads: [1, 1, 1, 1] }),
  },
  "Conv depthwise": {
    ...image,
    shapes: [[2, 3, 5, 5], [6, 1, 3, 3], [6]],
    build: op("Conv", { kernel_shape: [3, 3], group: 3, strides: [2, 2], pads: [1, 1, 1, 1] }),
  },
  "Conv padded automatically": {
    ...image,
    shapes: [
      [2, 2, 5, 6],
      [3, 2, 3, 2],
    ],
    build: op("Conv", { kernel_shape: [3, 2], strides: [2, 2], auto_pad: "SAME_UPPER" }),
  },
  "Conv over sequences": {
    ...image,
    shapes: [[2, 3, 9], [4, 3, 3], [4]],
    build: op("Conv", { kernel_shape: [3], dilations: [2], pads: [4, 0] }),
  },
  "Conv over volumes": {
    ...image,
    shapes: [[1, 2, 4, 3, 4], [2, 2, 2, 2, 3], [2]],
    build: op("Conv", { kernel_shape: [2, 2, 3], strides: [2, 1, 1] }),
  },
  ConvTranspose: {
    ...image,
    shapes: [[2, 3, 3, 4], [3, 2, 3, 2], [2]],
    build: op("ConvTranspose", { kernel_shape: [3, 2] }),
  },
  "ConvTranspose strided, padded": {
    ...image,
    shapes: [[2, 2, 3, 4], [2, 3, 3, 3], [3]],
    build: op("ConvTranspose", {
      kernel_shape: [3, 3],
      strides: [2, 2],
      pads: [1, 0, 1, 1],
      output_padding: [1, 0],
    }),
  },
  "ConvTranspose grouped": {
    ...image,
    shapes: [
      [2, 4, 3, 3],
      [4, 3, 2, 2],
    ],
    build: op("ConvTranspose", { kernel_shape: [2, 2], group: 2, strides: [2, 1] }),
  },
  "ConvTranspose over sequences": {
    ...image,
    shapes: [[2, 3, 5], [3, 2, 3], [2]],
    build: op("ConvTranspose", { kernel_shape: [3], strides: [2], dilations: [2] }),
  },
  MaxPool: { apart: true, shapes: [[2, 2, 4, 6]], build: op("MaxPool", { kernel_shape: [2, 2], strides: [2, 2] }) },
  "MaxPool single precision": {
    apart: true,
    shapes: [[2, 2, 4, 6]],
    build: op("MaxPool", { kernel_shape: [2, 2], strides: [2, 2] }),
    dtype: "float32",
    step: 1e-2,
  },
  "MaxPool overlapping": {
    apart: true,
    shapes: [[1, 2, 5, 5]],
    build: op("MaxPool", { kernel_shape: [3, 3], strides: [2, 2] }),
  },
  "MaxPool padded": {
    apart: true,
    shapes: [[1, 2, 5, 5]],
    build: op("MaxPool", { kernel_shape: [2, 2], strides: [2, 2], pads: [0, 0, 1, 1] }),
    dtype: "float32",
    step: 1e-2,
  },
  "MaxPool over sequences": {
    apart: true,
    shapes: [[2, 2, 6]],
    build: op("MaxPool", { kernel_shape: [2], strides: [2] }),
    dtype: "float32",
    step: 1e-2,
  },
  "MaxPool over volumes": {
    apart: true,
    shapes: [[1, 2, 4, 4, 2]],
    build: op("MaxPool", { kernel_shape: [2, 2, 2], strides: [2, 2, 2] }),
    dtype: "float32",
    step: 1e-2,
  },
  AveragePool: {
    ...image,
    shapes: [[2, 2, 4, 4]],
    build: op("AveragePool", { kernel_shape: [2, 2], strides: [2, 2] }),
  },
  "AveragePool padded": {
    ...image,
    shapes: [[1, 2, 5, 5]],
    build: op("AveragePool", { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }),
  },
  "AveragePool counting the padding": {
    ...image,
    shapes: [[1, 2, 5, 5]],
    build: op("AveragePool", { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], count_include_pad: 1 }),
  },
  "AveragePool over sequences": { ...image, shapes: [[2, 2, 6]], build: op("AveragePool", { kernel_shape: [3] }) },
  GlobalAveragePool: { ...image, shapes: [[2, 3, 4, 4]], build: op("GlobalAveragePool") },
  GlobalMaxPool: { apart: true, shapes: [[2, 3, 4, 4]], build: op("GlobalMaxPool"), dtype: "float32", step: 1e-2 },
};
