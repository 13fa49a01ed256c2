import type { OptimizerConfig } from "./config.ts";
import type { Kernels } from "./kernels.ts";

/** One update of a stretch of weights: pointers are byte offsets of its first element. */
export interface Update {
  readonly kernels: Kernels;
  readonly weights: number;
  readonly gradients: number;
  /** Number of elements. */
  readonly length: number;
  readonly rate: number;
  /** Factor that weight decay leaves of each weight. */
  readonly keep: number;
  /** Number of this update, from 1. */
  readonly iteration: number;
  /** Pointer into one of the optimizer's slots. */
  readonly slot: (index: number) => number;
}

type Of<Name extends OptimizerConfig["name"]> = OptimizerConfig & { readonly name: Name };

/** What an optimizer is beside the steps that all share. */
interface Rule<Config> {
  /** Learning rate when none is given. */
  readonly defaultRate: number;
  /** Weight decay when none is given; 0 when left out. */
  readonly defaultDecay?: number;
  /** Arrays as large as all weights that it keeps. */
  slots(config: Config): number;
  /** What the slots hold at the beginning; 0 when left out. */
  initial?(config: Config): number;
  update(config: Config, update: Update): void;
}

const defaultEpsilon = 1e-7;

const sgd: Rule<Of<"sgd">> = {
  defaultRate: 0.01,
  slots: ({ momentum }) => (momentum ? 1 : 0),
  update: ({ momentum, nesterov = false }, { kernels, weights: w, gradients: g, length: n, rate, keep, slot }) => {
    if (!momentum) kernels.sgd(w, g, n, rate, keep);
    else kernels.sgdMomentum(w, g, slot(0), n, rate, keep, momentum, nesterov);
  },
};

const rmsprop: Rule<Of<"rmsprop">> = {
  defaultRate: 0.001,
  slots: ({ centered, momentum }) => 1 + (centered ? 1 : 0) + (momentum ? 1 : 0),
  update: (config, { kernels, weights: w, gradients: g, length: n, rate, keep, slot }) => {
    const { rho = 0.9, epsilon = defaultEpsilon, momentum = 0, centered = false } = config;
    if (!centered && !momentum) {
      kernels.rmsprop(w, g, slot(0), n, rate, keep, rho, epsilon);
      return;
    }
    const mean = centered ? slot(1) : 0;
    const m = momentum ? slot(centered ? 2 : 1) : 0;
    kernels.rmspropGeneral(w, g, slot(0), mean, m, n, rate, keep, rho, epsilon, momentum);
  },
};

const adam: Rule<Of<"adam" | "adamw">> = {
  defaultRate: 0.001,
  slots: ({ amsgrad }) => (amsgrad ? 3 : 2),
  update: (config, { kernels, weights: w, gradients: g, length: n, rate, keep, iteration, slot }) => {
    const { beta1 = 0.9, beta2 = 0.999, epsilon = defaultEpsilon } = config;
    const alpha = (rate * Math.sqrt(1 - beta2 ** iteration)) / (1 - beta1 ** iteration);
    const [m, v, rest] = [slot(0), slot(1), [alpha, keep, 1 - beta1, 1 - beta2, epsilon]] as const;
    if (config.amsgrad) kernels.adamAmsgrad(w, g, m, v, slot(2), n, ...rest);
    else kernels.adam(w, g, m, v, n, ...rest);
  },
};

const adamax: Rule<Of<"adamax">> = {
  defaultRate: 0.001,
  slots: () => 2,
  update: (config, { kernels, weights: w, gradients: g, length: n, rate, keep, iteration, slot }) => {
    const { beta1 = 0.9, beta2 = 0.999, epsilon = defaultEpsilon } = config;
    kernels.adamax(w, g, slot(0), slot(1), n, rate / (1 - beta1 ** iteration), keep, 1 - beta1, beta2, epsilon);
  },
};

/** Nesterov momentum of an update, which grows to β₁ over the first ones (Dozat 2016). */
const momentumAt = (beta1: number, iteration: number): number => beta1 * (1 - 0.5 * 0.96 ** iteration);

/** The product of the momentums of all updates up to one. */
const momentumProduct = (beta1: number, iteration: number): number => {
  let product = 1;
  for (let i = 1; i <= iteration && product > 0; i++) product *= momentumAt(beta1, i);
  return product;
};

const nadam: Rule<Of<"nadam">> = {
  defaultRate: 0.001,
  slots: () => 2,
  update: (config, { kernels, weights: w, gradients: g, length: n, rate, keep, iteration, slot }) => {
    const { beta1 = 0.9, beta2 = 0.999, epsilon = defaultEpsilon } = config;
    const [now, next] = [momentumAt(beta1, iteration), momentumAt(beta1, iteration + 1)];
    const product = momentumProduct(beta1, iteration);
    const momentWeight = next / (1 - product * next);
    const gradientWeight = (1 - now) / (1 - product);
    const scale = 1 / (1 - beta2 ** iteration);
    const rest = [rate, keep, 1 - beta1, 1 - beta2, epsilon, momentWeight, gradientWeight, scale];
    kernels.nadam(w, g, slot(0), slot(1), n, ...rest);
  },
};

const lion: Rule<Of<"lion">> = {
  defaultRate: 0.001,
  slots: () => 1,
  update: ({ beta1 = 0.9, beta2 = 0.99 }, { kernels, weights: w, gradients: g, length: n, rate, keep, slot }) =>
    kernels.lion(w, g, slot(0), n, rate, keep, beta1, beta2),
};

const adagrad: Rule<Of<"adagrad">> = {
  defaultRate: 0.001,
  slots: () => 1,
  initial: ({ initialAccumulatorValue = 0.1 }) => initialAccumulatorValue,
  update: ({ epsilon = defaultEpsilon }, { kernels, weights: w, gradients: g, length: n, rate, keep, slot }) =>
    kernels.adagrad(w, g, slot(0), n, rate, keep, epsilon),
};

const adadelta: Rule<Of<"adadelta">> = {
  defaultRate: 0.001,
  slots: () => 2,
  update: (config, { kernels, weights: w, gradients: g, length: n, rate, keep, slot }) => {
    const { rho = 0.95, epsilon = defaultEpsilon } = config;
    kernels.adadelta(w, g, slot(0), slot(1), n, rate, keep, rho, epsilon);
  },
};

const rules: { readonly [Name in OptimizerConfig["name"]]: Rule<Of<Name>> } = {
  sgd,
  rmsprop,
  adam,
  adamw: { ...adam, defaultDecay: 0.004 },
  adamax,
  nadam,
  lion,
  adagrad,
  adadelta,
};

/** The rule of an optimizer. Source: keras/src/optimizers. */
export const ruleOf = ({ name }: OptimizerConfig): Rule<OptimizerConfig> =>
  // Methods are compared bivariantly; the table pairs each name with the rule of its own configuration.
  rules[name];
