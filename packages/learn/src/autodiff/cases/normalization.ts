import { type GradientCases, op, single } from "./gradient-case.ts";

/** Normalisations; epsilon is large so that differences in single precision mean something. */
export const normalizationCases: GradientCases = {
  LayerNormalization: {
    shapes: [[3, 6], [6], [6]],
    build: op("LayerNormalization", { axis: -1, epsilon: { float: 0.1 } }),
    ...single,
  },
  "LayerNormalization over two axes": {
    shapes: [
      [2, 3, 4],
      [3, 4],
    ],
    build: op("LayerNormalization", { axis: 1, epsilon: { float: 0.1 } }),
    ...single,
  },
  "LayerNormalization without given statistics": {
    shapes: [[2, 5], [5], [5]],
    build: (b, inputs) =>
      b.applyMany("LayerNormalization", inputs, {
        attributes: { axis: -1, epsilon: { float: 0.1 } },
        outputCount: 3,
      })[0] ?? b.apply("Identity", inputs),
    ...single,
  },
  BatchNormalization: {
    shapes: [[2, 3, 2, 2], [3], [3]],
    build: (b, [x, scale, bias]) => {
      const centre = b.constant({ dtype: "float32", shape: [3], values: Float32Array.of(0.1, -0.2, 0.3) });
      const variance = b.constant({ dtype: "float32", shape: [3], values: Float32Array.of(0.5, 1, 2) });
      return b.apply("BatchNormalization", [x, scale, bias, centre, variance]);
    },
    ...single,
    step: 0.05,
  },
  InstanceNormalization: {
    shapes: [[2, 3, 3, 2], [3], [3]],
    build: op("InstanceNormalization", { epsilon: { float: 0.1 } }),
    ...single,
  },
};
