import type { TensorDatatype } from "@modelyard/contracts";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PlatformError } from "../foundation/index.ts";
import { elementsIn, type NumericDatatype, type Tensor } from "../runtimes/index.ts";
import { writeBinaryData } from "./binary-tensors.ts";
import { readInferenceRequest } from "./read-inference-request.ts";
import { writeInferenceResponse } from "./write-inference-response.ts";

const widths: Readonly<Record<NumericDatatype, number>> = {
  BOOL: 1,
  UINT8: 1,
  UINT16: 2,
  UINT32: 4,
  UINT64: 8,
  INT8: 1,
  INT16: 2,
  INT32: 4,
  INT64: 8,
  FP16: 2,
  BF16: 2,
  FP32: 4,
  FP64: 8,
};
const datatypes = [...(Object.keys(widths) as NumericDatatype[]), "BYTES"] as const;

const modelOf = (datatype: TensorDatatype) => ({
  inputs: [{ name: "x", datatype, shape: [-1, 3] }],
  outputs: [{ name: "x", datatype, shape: [-1, 3] }],
  batchable: true,
});

const tensors = (datatype: TensorDatatype): fc.Arbitrary<Tensor> =>
  fc.nat({ max: 4 }).chain((extra) => {
    const rows = extra + 1;
    const shape = [rows, 3];
    if (datatype === "BYTES") {
      return fc
        .array(fc.string({ unit: "grapheme" }), { minLength: rows * 3, maxLength: rows * 3 })
        .map((data): Tensor => ({ datatype, shape, data }));
    }
    const length = rows * 3 * widths[datatype];
    const byte = datatype === "BOOL" ? { max: 1 } : {};
    return fc
      .uint8Array({ minLength: length, maxLength: length, ...byte })
      .map((bytes): Tensor => ({ datatype, shape, data: elementsIn(datatype, bytes) }));
  });

/** A request that carries the tensor as an answer would. */
const requestOf = (tensor: Tensor, binary: boolean): { body: Buffer; headerBytes: number | null } => {
  const model = { name: "m", version: 1, outputs: [{ name: "x" }], labels: null };
  const answer = writeInferenceResponse({ id: "7", outputs: [{ index: 0, binary, classes: 0 }] }, [tensor], model);
  const [json, ...rest] = answer.body;
  const { outputs } = JSON.parse(
    Buffer.from(json as Uint8Array).toString(),
    (_, value: unknown, { source = "" } = {}) =>
      typeof value === "number" && !Number.isSafeInteger(value) && /^-?\d+$/.test(source) ? `big:${source}` : value,
  ) as { outputs: unknown };
  const text = JSON.stringify({ id: "7", inputs: outputs }).replaceAll(/"big:(-?\d+)"/g, "$1");
  return {
    body: Buffer.concat([Buffer.from(text), ...rest]),
    headerBytes: binary ? Buffer.byteLength(text) : null,
  };
};

/** Bits of a tensor: NaN has one form in JSON, so all NaN are one here. */
const bitsOf = (tensor: Tensor, oneNaN: boolean): unknown => {
  const { data, datatype } = tensor;
  if (oneNaN && (datatype === "FP32" || datatype === "FP64")) return Array.from(data as Float32Array);
  return [...writeBinaryData(tensor)];
};

describe.each(datatypes)("%s", (datatype) => {
  const model = modelOf(datatype);

  test("every value comes through the binary extension bit by bit", () => {
    fc.assert(
      fc.property(tensors(datatype), (tensor) => {
        const { body, headerBytes } = requestOf(tensor, true);
        const request = readInferenceRequest(body, headerBytes, {
          ...model,
          // Asking back as JSON is refused for the half-precision types, which is not what is tried here.
          outputs: [],
        });
        expect(request.id).toBe("7");
        expect(request.tensors[0]?.shape).toEqual(tensor.shape);
        expect(bitsOf(request.tensors[0] as Tensor, false)).toEqual(bitsOf(tensor, false));
      }),
    );
  });
});

const inJson = datatypes.filter((datatype) => datatype !== "FP16" && datatype !== "BF16");

test.each(inJson)("every value of %s comes through JSON, 64 bits without loss", (datatype) => {
  fc.assert(
    fc.property(tensors(datatype), (tensor) => {
      const { body, headerBytes } = requestOf(tensor, false);
      const request = readInferenceRequest(body, headerBytes, modelOf(datatype));
      expect(bitsOf(request.tensors[0] as Tensor, true)).toEqual(bitsOf(tensor, true));
    }),
  );
});

describe("what cannot be served is refused with the input, what was expected and what came", () => {
  const two = {
    inputs: [
      { name: "a", datatype: "FP32" as const, shape: [-1, 2] },
      { name: "b", datatype: "INT8" as const, shape: [-1] },
    ],
    outputs: [
      { name: "y", datatype: "FP32" as const, shape: [-1] },
      { name: "h", datatype: "FP16" as const, shape: [-1] },
    ],
    batchable: true,
  };
  const a = { name: "a", shape: [1, 2], datatype: "FP32", data: [1, 2] };
  const b = { name: "b", shape: [1], datatype: "INT8", data: [1] };
  const y = [{ name: "y" }];

  test.each<[string, unknown, RegExp]>([
    ["no inputs", { inputs: [] }, /needs `inputs`/],
    ["an input without a name", { inputs: [{}] }, /needs a `name`/],
    ["an unknown input", { inputs: [a, b, { ...a, name: "c" }] }, /no input "c".*a, b/],
    ["an input twice", { inputs: [a, a, b] }, /"a" came twice/],
    ["a missing input", { inputs: [a] }, /"b" \(INT8 \[-1\]\) is missing/],
    ["another datatype", { inputs: [{ ...a, datatype: "FP64" }, b] }, /"a".*FP32.*"FP64"/],
    ["a negative size", { inputs: [{ ...a, shape: [-1, 2] }, b] }, /"a" must have the shape \[-1, 2\]/],
    ["a shape that is no list", { inputs: [{ ...a, shape: "2" }, b] }, /"a" must have the shape/],
    ["too many values", { inputs: [{ ...a, data: [1, 2, 3] }, b] }, /"a".*needs 2 values, but 3/],
    ["a huge shape", { inputs: [{ ...a, shape: [1e9, 2] }, b] }, /more than one request may hold/],
    ["a value out of range", { inputs: [a, { ...b, data: [200] }] }, /"b" holds 200 at position 0.*-128 to 127/],
    ["a text where a number stands", { inputs: [{ ...a, data: [1, "x"] }, b] }, /"a" holds "x" at position 1/],
    ["lists nested too deep", { inputs: [{ ...a, data: [[[1, 2]]] }, b] }, /nested deeper/],
    ["other rows", { inputs: [{ ...a, shape: [2, 2], data: [1, 2, 3, 4] }, b] }, /"b" has 1 rows, but "a" has 2/],
    [
      "no rows",
      {
        inputs: [
          { ...a, shape: [0, 2], data: [] },
          { ...b, shape: [0], data: [] },
        ],
      },
      /no rows/,
    ],
    ["an unknown output", { inputs: [a, b], outputs: [{ name: "z" }] }, /no output "z".*y, h/],
    ["an output twice", { inputs: [a, b], outputs: [...y, ...y] }, /"y" is asked for twice/],
    ["half precision as JSON", { inputs: [a, b], outputs: [{ name: "h" }] }, /"h" is FP16.*binary_data/],
    [
      "bytes that are not there",
      { inputs: [{ ...a, data: undefined, parameters: { binary_data_size: 8 } }, b] },
      /8, but 0/,
    ],
    ["data and bytes", { inputs: [{ ...a, parameters: { binary_data_size: 8 } }, b] }, /both `data` and/],
    ["an id that is no text", { id: 1, inputs: [a, b], outputs: y }, /`id` must be a text/],
    ["a timeout that is no time", { parameters: { timeout: -1 }, inputs: [a, b], outputs: y }, /`timeout` must be/],
  ])("%s", (_, request, message) => {
    const read = () => readInferenceRequest(Buffer.from(JSON.stringify(request)), null, two);
    expect(read).toThrow(PlatformError);
    expect(read).toThrow(message);
  });

  test("NaN and infinities as Python writes them are taken", () => {
    const text = '{"id":"NaN","inputs":[{"name":"x","shape":[1,3],"datatype":"FP32","data":[NaN,-Infinity,Infinity]}]}';
    const {
      id,
      tensors: [tensor],
    } = readInferenceRequest(Buffer.from(text), null, modelOf("FP32"));
    expect(id).toBe("NaN");
    expect(tensor?.data).toEqual(Float32Array.of(Number.NaN, -Infinity, Infinity));
  });

  test("a raw request is one row of the one input", () => {
    const bytes = Buffer.from(Float32Array.of(1, 2, 3).buffer);
    const request = readInferenceRequest(bytes, 0, modelOf("FP32"));
    expect(request.tensors).toEqual([{ datatype: "FP32", shape: [1, 3], data: Float32Array.of(1, 2, 3) }]);
    expect(request.outputs).toEqual([{ index: 0, binary: true, classes: 0 }]);
    expect(() => readInferenceRequest(bytes.subarray(1), 0, modelOf("FP32"))).toThrow(/needs 12 bytes, but 11/);
    expect(() => readInferenceRequest(bytes, 0, two)).toThrow(/one input, but the model has 2/);
  });
});

const refusals = new Set(["tensor-invalid", "malformed-json"]);

test("no bytes make the reader fail in another way than with a refusal", () => {
  const json = fc.record(
    {
      id: fc.jsonValue(),
      parameters: fc.jsonValue(),
      outputs: fc.jsonValue(),
      inputs: fc.oneof(
        fc.jsonValue(),
        fc.array(
          fc.record(
            {
              name: fc.constantFrom("x", "y"),
              shape: fc.oneof(fc.constant([1, 3]), fc.jsonValue()),
              datatype: fc.constantFrom("FP32", "INT64", "BYTES"),
              data: fc.oneof(fc.constant([1, 2, 3]), fc.jsonValue()),
              parameters: fc.oneof(fc.record({ binary_data_size: fc.integer() }), fc.jsonValue()),
            },
            { requiredKeys: [] },
          ),
        ),
      ),
    },
    { requiredKeys: [] },
  );
  const bodies = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    json.map((value) => Buffer.from(JSON.stringify(value))),
    fc
      .tuple(json, fc.uint8Array({ maxLength: 40 }))
      .map(([value, tail]) => Buffer.concat([Buffer.from(JSON.stringify(value)), tail])),
  );
  fc.assert(
    fc.property(bodies, fc.option(fc.nat(300)), fc.constantFrom(...datatypes), (body, headerBytes, datatype) => {
      try {
        readInferenceRequest(body, headerBytes, modelOf(datatype));
      } catch (error) {
        expect(error).toBeInstanceOf(PlatformError);
        expect(refusals).toContain((error as PlatformError).code);
      }
    }),
    { numRuns: 2000 },
  );
});

test.each([
  [
    "deep lists",
    `{"inputs":[{"name":"x","shape":[1,3],"datatype":"INT64","data":${"[".repeat(200_000)}${"]".repeat(200_000)}}]}`,
  ],
  ["deep lists with long numbers", `{"a":12345678901234567890,"inputs":${"[".repeat(200_000)}${"]".repeat(200_000)}}`],
  ["deep objects", `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`],
  ["a prototype", '{"__proto__":{"inputs":[1]},"inputs":[{"__proto__":{"name":"x"}}]}'],
])("%s are refused", (_, text) => {
  expect(() => readInferenceRequest(Buffer.from(text), null, modelOf("INT64"))).toThrow(PlatformError);
});
