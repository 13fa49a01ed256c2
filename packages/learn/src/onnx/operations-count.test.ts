import { expect, test } from "vitest";
import { GraphBuilder } from "./builder.ts";
import { countOperations } from "./operations-count.ts";

test("operations are those of the products, whatever their form", () => {
  const builder = new GraphBuilder();
  const x = builder.input("x", "float32", [2, 3]);
  const y = builder.input("y", "float32", [3, 4]);
  const image = builder.input("image", "float32", [1, 2, 5, 5]);
  const kernel = builder.input("kernel", "float32", [4, 2, 3, 3]);
  const outputs = {
    product: builder.apply("MatMul", [x, y]),
    turned: builder.apply("Gemm", [y, x], { attributes: { transA: 1, transB: 1 } }),
    convolved: builder.apply("Conv", [image, kernel], { attributes: { kernel_shape: [3, 3] } }),
  };
  const [product, turned, convolved] = [2 * 2 * 4 * 3, 2 * 4 * 2 * 3, 2 * 4 * 9 * 18];
  expect(countOperations(builder.finish("products", outputs))).toBe(product + turned + convolved);
});
