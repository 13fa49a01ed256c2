import { GraphBuilder } from "../onnx/builder.ts";
import { encodeModel } from "../onnx/encode.ts";
import type { Value } from "../onnx/graph.ts";
import type { Executor, TensorData } from "../training/executor.ts";
import { createRandom } from "../random.ts";
import { elementCount } from "../onnx/tensor.ts";
import { differentiate } from "./differentiate.ts";

/** A function to be checked, as graph. */
export interface GradientCase {
  /** Shapes of the inputs. */
  readonly shapes: readonly (readonly number[])[];
  /** Builds the function under test. */
  readonly build: (builder: GraphBuilder, inputs: readonly Value[]) => Value;
  /** ONNX Runtime has no double kernels for convolutions; those are checked in single precision. */
  readonly dtype?: "float32" | "float64";
  /** Range of the random inputs; default [-1, 1]. */
  readonly range?: readonly [number, number];
  /** Operator set that the function needs; that of written files by default. */
  readonly operatorSet?: number;
  /** Inputs are equally spaced numbers in random order, so that no two are close: for functions that compare them. */
  readonly apart?: boolean;
  /** Step of the differences; default 1e-5 in double and 1e-2 in single precision. */
  readonly step?: number;
}

/** Largest difference between a gradient by rule and by central differences, relative to the largest gradient. */
export interface GradientError {
  readonly input: number;
  readonly error: number;
}

const random = createRandom(7);

/** Numbers of a range, equally spaced, in random order. */
const spaced = (count: number, [low, high]: readonly [number, number]): number[] =>
  Array.from(random.permutation(count), (place) => low + ((high - low) * (place + 0.5)) / count);

const values = (
  count: number,
  dtype: "float32" | "float64",
  [low, high]: readonly [number, number],
): Float32Array | Float64Array => {
  const array = dtype === "float32" ? new Float32Array(count) : new Float64Array(count);
  for (let i = 0; i < count; i++) array[i] = low + (high - low) * random.uniform();
  return array;
};

/**
 * Compares the gradients of Σ r·f(x), r random, with central differences (f(x+h) − f(x−h)) / 2h in every element.
 */
export const checkGradients = async (executor: Executor, test: GradientCase): Promise<readonly GradientError[]> => {
  const { dtype = "float64", range = [-1, 1] } = test;
  const step = test.step ?? (dtype === "float64" ? 1e-5 : 1e-2);
  const builder = new GraphBuilder();
  const inputs = test.shapes.map((shape, i) => builder.input(`x${i}`, dtype, shape));
  const result = test.build(builder, inputs);
  const weights = builder.input("weights", dtype, result.shape);
  const axes = builder.integers(result.shape.map((_, axis) => axis));
  const loss = builder.apply("ReduceSum", [builder.apply("Mul", [result, weights]), axes], {
    attributes: { keepdims: 0 },
  });
  const gradients = differentiate(builder, { loss, withRespectTo: inputs });
  const outputs = Object.fromEntries(gradients.map((gradient, i) => [`gradient${i}`, gradient]));
  const encoding = test.operatorSet === undefined ? {} : { operatorSet: test.operatorSet };
  await using session = await executor.load(encodeModel(builder.finish("check", { loss, ...outputs }), encoding));
  const staticShape = result.shape.map(Number);
  const feeds: Record<string, TensorData> = {
    weights: { dtype, shape: staticShape, values: values(elementCount(staticShape), dtype, [-1, 1]) },
  };
  for (const [i, shape] of test.shapes.entries()) {
    const drawn = values(elementCount(shape), dtype, range);
    if (test.apart === true) drawn.set(spaced(drawn.length, range));
    feeds[`x${i}`] = { dtype, shape, values: drawn };
  }
  const lossAt = async (): Promise<number> => Number((await session.run(feeds))["loss"]?.values[0]);
  const analytic = await session.run(feeds);
  const errors: GradientError[] = [];
  for (const i of test.shapes.keys()) {
    const x = feeds[`x${i}`]?.values as Float64Array;
    const gradient = analytic[`gradient${i}`]?.values as Float64Array;
    let [worst, largest] = [0, 1e-3];
    for (let k = 0; k < x.length; k++) {
      const kept = x[k] as number;
      x[k] = kept + step;
      const above = await lossAt();
      x[k] = kept - step;
      const below = await lossAt();
      x[k] = kept;
      worst = Math.max(worst, Math.abs((above - below) / (2 * step) - (gradient[k] as number)));
      largest = Math.max(largest, Math.abs(gradient[k] as number));
    }
    errors.push({ input: i, error: worst / largest });
  }
  return errors;
};
