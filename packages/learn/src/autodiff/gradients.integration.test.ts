import { describe, expect, test } from "vitest";
import { LearnError } from "../errors.ts";
import { GraphBuilder } from "../onnx/builder.ts";
import { onnxRuntimeExecutor } from "../onnxruntime-node/index.ts";
import { activationCases } from "./cases/activations.ts";
import { elementwiseCases } from "./cases/elementwise.ts";
import { indexingCases } from "./cases/indexing.ts";
import type { GradientCases } from "./cases/gradient-case.ts";
import { layoutCases } from "./cases/layout.ts";
import { linearCases } from "./cases/linear.ts";
import { normalizationCases } from "./cases/normalization.ts";
import { recurrentCases } from "./cases/recurrent.ts";
import { reductionCases } from "./cases/reductions.ts";
import { spatialCases } from "./cases/spatial.ts";
import { checkGradients } from "./central-differences.ts";
import { differentiate, gradientRules } from "./differentiate.ts";

const executor = onnxRuntimeExecutor({ intraOpNumThreads: 1 });

const cases: GradientCases = {
  ...elementwiseCases,
  ...activationCases,
  ...layoutCases,
  ...indexingCases,
  ...linearCases,
  ...reductionCases,
  ...normalizationCases,
  ...spatialCases,
  ...recurrentCases,
};

describe("the gradient by rule equals central differences", () => {
  test.each(Object.keys(cases))("%s", async (name) => {
    const gradientCase = cases[name];
    if (gradientCase === undefined) throw new Error(name);
    const errors = await checkGradients(executor, gradientCase);
    for (const { error } of errors) expect(error).toBeLessThan(gradientCase.dtype === "float32" ? 5e-3 : 1e-6);
  });
});

test("every rule of the registry has a case", () => {
  const covered = new Set(Object.keys(cases).map((name) => name.split(/[ ,]/)[0]));
  expect([...gradientRules.keys()].filter((operator) => !covered.has(operator))).toEqual([]);
});

test("an operator without a rule is named together with its node", () => {
  const builder = new GraphBuilder();
  const x = builder.input("x", "float32", [3]);
  const y = builder.apply("Hardmax", [x], { name: "hard" });
  const loss = builder.apply("ReduceSum", [y, builder.integers([0])], { attributes: { keepdims: 0 } });
  const attempt = (): unknown => differentiate(builder, { loss, withRespectTo: [x] });
  expect(attempt).toThrow(LearnError);
  expect(attempt).toThrow(/Hardmax:hard.*Hardmax/);
});
