/** Class numbers and probabilities. */
export interface ProbabilityInput {
  /** [rows], whole numbers in 0…classes−1. */
  readonly trueClasses: ArrayLike<number>;
  /** [rows, classes], row-major; each row sums to 1. */
  readonly probabilities: ArrayLike<number>;
  readonly classes: number;
}

const single = 2 ** -23;

/**
 * Mean of −log p(true class), in nats.
 * @param epsilon Probabilities are clipped to [epsilon, 1 − epsilon]; default: the rounding unit of float32 for a
 *   `Float32Array`, else that of float64. Source: sklearn.metrics.log_loss.
 */
export const logLoss = (
  { trueClasses, probabilities, classes }: ProbabilityInput,
  epsilon: number = probabilities instanceof Float32Array ? single : Number.EPSILON,
): number => {
  let sum = 0;
  for (let row = 0; row < trueClasses.length; row++) {
    const p = probabilities[row * classes + (trueClasses[row] as number)] as number;
    sum -= Math.log(Math.min(Math.max(p, epsilon), 1 - epsilon));
  }
  return sum / trueClasses.length;
};

/**
 * Mean squared distance of the probabilities from the truth: for two classes that of the second class, for more the
 * sum over the classes. Source: sklearn.metrics.brier_score_loss.
 */
export const brierScore = ({ trueClasses, probabilities, classes }: ProbabilityInput): number => {
  let sum = 0;
  for (let row = 0; row < trueClasses.length; row++) {
    for (let c = 0; c < classes; c++) {
      const distance = (probabilities[row * classes + c] as number) - (trueClasses[row] === c ? 1 : 0);
      sum += distance * distance;
    }
  }
  return sum / trueClasses.length / (classes === 2 ? 2 : 1);
};

/**
 * Expected calibration error of the probability of the positive class: the distance of its mean from the share of
 * positive rows, over bins of equal width that are closed on the right, weighted by their rows.
 * Source: Naeini, Cooper and Hauskrecht, Obtaining Well Calibrated Probabilities Using Bayesian Binning (2015).
 * @param truth [rows] of 0 and 1. @param probabilities [rows].
 */
export const calibrationError = (truth: ArrayLike<number>, probabilities: ArrayLike<number>, bins = 10): number => {
  const distances = new Float64Array(bins);
  for (let row = 0; row < truth.length; row++) {
    const p = probabilities[row] as number;
    const bin = Math.min(Math.max(Math.ceil(p * bins) - 1, 0), bins - 1);
    distances[bin] = (distances[bin] as number) + p - (truth[row] as number);
  }
  return distances.reduce((sum, distance) => sum + Math.abs(distance), 0) / truth.length;
};

/** Probabilities [rows, classes] of logits: softmax over each row, computed stably. */
const softmaxRows = (logits: ArrayLike<number>, classes: number): Float32Array => {
  const probabilities = new Float32Array(logits.length);
  for (let start = 0; start < logits.length; start += classes) {
    let largest = Number.NEGATIVE_INFINITY;
    for (let c = 0; c < classes; c++) largest = Math.max(largest, logits[start + c] as number);
    let sum = 0;
    for (let c = 0; c < classes; c++) sum += Math.exp((logits[start + c] as number) - largest);
    for (let c = 0; c < classes; c++)
      probabilities[start + c] = Math.exp((logits[start + c] as number) - largest) / sum;
  }
  return probabilities;
};

/**
 * A probability for each class of what a classifier gives: one output is that of the second of two classes, and
 * logits go through sigmoid or softmax.
 * @param outputs [rows, width], width 1 or `classes`.
 * @returns [rows, classes].
 */
export const classProbabilities = (
  outputs: Float32Array,
  { classes, width, logits }: { readonly classes: number; readonly width: number; readonly logits: boolean },
): Float32Array => {
  if (width === classes) return logits ? softmaxRows(outputs, classes) : outputs;
  const probabilities = new Float32Array(outputs.length * 2);
  for (const [row, output] of outputs.entries()) {
    const positive = logits ? 1 / (1 + Math.exp(-output)) : output;
    probabilities[row * 2] = 1 - positive;
    probabilities[row * 2 + 1] = positive;
  }
  return probabilities;
};
