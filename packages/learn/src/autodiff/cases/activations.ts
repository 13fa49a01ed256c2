import { type GradientCases, op, single } from "./gradient-case.ts";

const wide = [-4, 4] as const;
const smallStep = { ...single, step: 1e-3 } as const;

/** Activations; those with kinks are checked with a small step. */
export const activationCases: GradientCases = {
  Relu: { shapes: [[9]], build: op("Relu") },
  LeakyRelu: { shapes: [[9]], build: op("LeakyRelu", { alpha: { float: 0.2 } }), ...smallStep },
  ThresholdedRelu: { shapes: [[9]], build: op("ThresholdedRelu", { alpha: { float: 0.3 } }), ...smallStep },
  PRelu: { shapes: [[2, 3], [3]], build: op("PRelu") },
  "PRelu per channel": {
    shapes: [
      [2, 3, 4],
      [3, 1],
    ],
    build: op("PRelu"),
  },
  Elu: { shapes: [[9]], build: op("Elu", { alpha: { float: 0.7 } }), ...smallStep },
  Celu: { shapes: [[9]], build: op("Celu", { alpha: { float: 0.7 } }), ...smallStep },
  Selu: { shapes: [[9]], build: op("Selu"), ...smallStep },
  "Selu with arguments": {
    shapes: [[9]],
    build: op("Selu", { alpha: { float: 1.2 }, gamma: { float: 0.8 } }),
    ...smallStep,
  },
  Sigmoid: { shapes: [[9]], build: op("Sigmoid") },
  HardSigmoid: { shapes: [[9]], build: op("HardSigmoid"), range: wide, ...smallStep },
  HardSwish: { shapes: [[9]], build: op("HardSwish"), range: wide, ...smallStep },
  Tanh: { shapes: [[9]], build: op("Tanh") },
  Erf: { shapes: [[9]], build: op("Erf"), ...single },
  Mish: { shapes: [[9]], build: op("Mish"), range: wide, ...single },
  Gelu: { shapes: [[9]], build: op("Gelu"), range: wide, operatorSet: 20, ...single },
  "Gelu by tanh": {
    shapes: [[9]],
    build: op("Gelu", { approximate: "tanh" }),
    range: wide,
    operatorSet: 20,
    ...single,
  },
  Shrink: {
    shapes: [[9]],
    build: op("Shrink", { lambd: { float: 0.4 }, bias: { float: 0.4 } }),
    ...smallStep,
  },
  Softplus: { shapes: [[9]], build: op("Softplus"), ...single },
  Softsign: { shapes: [[9]], build: op("Softsign"), ...single },
};
