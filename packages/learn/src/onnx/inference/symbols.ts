import { integerAttribute, isTensor } from "../attributes.ts";
import type { Attributes } from "../graph.ts";
import type { Dimension, Tensor, TensorType } from "../tensor.ts";

/** A small tensor whose elements are known when the graph is built, some only by the name of an open length. */
export interface Symbols {
  /** No or one dimension. */
  readonly shape: readonly number[];
  readonly values: readonly Dimension[];
}

/** What is known of a node whose result may be known too. */
export interface SymbolInput {
  readonly operator: string;
  readonly attributes: Attributes;
  readonly inputs: readonly (Symbols | undefined)[];
  readonly types: readonly (TensorType | undefined)[];
}

const elementsMax = 4096;

/** A constant as symbols, when it is small enough. */
export const symbolsOf = (constant: Tensor): Symbols | undefined =>
  constant.shape.length <= 1 && constant.values.length <= elementsMax
    ? { shape: constant.shape, values: Array.from(constant.values as ArrayLike<number | bigint>, Number) }
    : undefined;

type Rule = (node: SymbolInput, inputs: readonly Symbols[]) => Symbols | undefined;

const list = (values: readonly Dimension[]): Symbols => ({ shape: [values.length], values });

/** Product of lengths, open ones by name: `N` · 2 is `N*2`, `N` · `M` is `M*N`. */
const times = (one: Dimension, other: Dimension): Dimension => {
  if (typeof one === "number" && typeof other === "number") return one * other;
  const factors = `${one}*${other}`.split("*");
  const names = factors.filter((factor) => Number.isNaN(Number(factor))).toSorted();
  const whole = factors.reduce((product, factor) => product * (Number.isNaN(Number(factor)) ? 1 : Number(factor)), 1);
  return [...names, ...(whole === 1 ? [] : [whole])].join("*");
};

const quotient = (one: Dimension, other: Dimension): Dimension | undefined => {
  if (typeof one === "number" && typeof other === "number") return one / other;
  if (typeof one !== "string" || typeof other !== "number") return undefined;
  const [, base = one, known] = /^(.*?)\*(\d+)$/.exec(one) ?? [];
  const rest = Number(known ?? 1) / other;
  return Number.isInteger(rest) ? (rest === 1 ? base : `${base}*${rest}`) : undefined;
};

const numeric =
  (compute: (one: number, other: number) => number) =>
  (one: Dimension, other: Dimension): Dimension | undefined =>
    typeof one === "number" && typeof other === "number" ? compute(one, other) : undefined;

/** Element by element, lengths of 1 broadcast. */
const binary =
  (compute: (one: Dimension, other: Dimension) => Dimension | undefined): Rule =>
  (node, [a, b]) => {
    if (a === undefined || b === undefined) return undefined;
    const count = Math.max(a.values.length, b.values.length);
    const whole = node.types.slice(0, 2).every((type) => type?.dtype !== "float32" && type?.dtype !== "float64");
    const values: Dimension[] = [];
    for (let i = 0; i < count; i++) {
      const value = compute(a.values[i % a.values.length] ?? 0, b.values[i % b.values.length] ?? 0);
      if (value === undefined) return undefined;
      values.push(whole && typeof value === "number" ? Math.trunc(value) : value);
    }
    return { shape: a.shape.length >= b.shape.length ? a.shape : b.shape, values };
  };

const unary =
  (compute: (x: number) => number): Rule =>
  (_, [x]) => {
    if (x === undefined || !x.values.every((value) => typeof value === "number")) return undefined;
    return { shape: x.shape, values: x.values.map((value) => compute(value)) };
  };

const shape: Rule = ({ types, attributes }) => {
  const [type] = types;
  if (type === undefined) return undefined;
  const start = integerAttribute(attributes, "start", 0);
  const end = integerAttribute(attributes, "end", type.shape.length);
  return list(type.shape.slice(start, end));
};

const cast: Rule = ({ attributes }, [x]) => {
  const whole = new Set([2, 3, 6, 7]).has(integerAttribute(attributes, "to", 1));
  if (x === undefined) return undefined;
  return { ...x, values: x.values.map((value) => (whole && typeof value === "number" ? Math.trunc(value) : value)) };
};

const gather: Rule = ({ attributes }, [data, indices]) => {
  if (data?.shape.length !== 1 || indices === undefined || integerAttribute(attributes, "axis", 0) > 0)
    return undefined;
  const values = indices.values.map((index) => data.values.at(Number(index)));
  return values.every((value) => value !== undefined) ? { shape: indices.shape, values } : undefined;
};

const concat: Rule = (node, inputs) =>
  inputs.length === node.types.length ? list(inputs.flatMap(({ values }) => values)) : undefined;

const slice: Rule = (_, [data, starts, ends, , steps]) => {
  const [start, end, step] = [starts?.values[0], ends?.values[0], steps?.values[0] ?? 1];
  if (data?.shape.length !== 1 || typeof start !== "number" || typeof end !== "number" || step !== 1) return undefined;
  return list(data.values.slice(start, end));
};

/** Reshape, Squeeze and Unsqueeze of so few elements only change whether they stand in a list. */
const reshaped =
  (scalar: (node: SymbolInput, x: Symbols, target: Symbols | undefined) => boolean): Rule =>
  (node, [x, target]) => {
    if (x === undefined) return undefined;
    return scalar(node, x, target) ? { shape: [], values: x.values } : list(x.values);
  };

const reshape: Rule = (node, inputs) =>
  (inputs[1]?.values.length ?? 2) <= 1
    ? reshaped((_, __, target) => target?.values.length === 0)(node, inputs)
    : undefined;

const constantOfShape: Rule = ({ attributes }, [lengths]) => {
  const [length] = lengths?.values ?? [];
  if (lengths?.values.length !== 1 || typeof length !== "number" || length > elementsMax) return undefined;
  const value = attributes["value"];
  const filling = value !== undefined && isTensor(value) ? Number(value.values[0]) : 0;
  return list(Array.from({ length }, () => filling));
};

const range: Rule = (_, [start, limit, delta]) => {
  const [from, to, step] = [start, limit, delta].map((one) => one?.values[0]);
  if (typeof from !== "number" || typeof to !== "number" || typeof step !== "number" || step === 0) return undefined;
  const length = Math.max(Math.ceil((to - from) / step), 0);
  return length > elementsMax ? undefined : list(Array.from({ length }, (_, at) => from + at * step));
};

const product: Rule = (_, [x]) => {
  const values = x?.values.reduce<Dimension>((whole, value) => times(whole, value), 1);
  return values === undefined ? undefined : { shape: [], values: [values] };
};

const where: Rule = (_, [condition, yes, no]) => {
  if (condition === undefined || yes === undefined || no === undefined) return undefined;
  const at = (from: Symbols, index: number): Dimension => from.values[index % from.values.length] ?? 0;
  const count = Math.max(condition.values.length, yes.values.length, no.values.length);
  const known = condition.values.every((value) => typeof value === "number");
  if (!known) return undefined;
  return list(Array.from({ length: count }, (_, index) => at(Number(at(condition, index)) === 0 ? no : yes, index)));
};

const rules: Readonly<Record<string, Rule>> = {
  Shape: shape,
  Identity: (_, [x]) => x,
  Cast: cast,
  Gather: gather,
  Concat: concat,
  Slice: slice,
  Squeeze: reshaped((_, x) => x.values.length === 1),
  Unsqueeze: reshaped(() => false),
  Reshape: reshape,
  ConstantOfShape: constantOfShape,
  Range: range,
  ReduceProd: product,
  Where: where,
  Add: binary((one, other) => (other === 0 ? one : one === 0 ? other : numeric((a, b) => a + b)(one, other))),
  Sub: binary((one, other) => (other === 0 ? one : numeric((a, b) => a - b)(one, other))),
  Mul: binary(times),
  Div: binary(quotient),
  Mod: binary(numeric((one, other) => one - other * Math.floor(one / other))),
  Max: binary(numeric(Math.max)),
  Min: binary(numeric(Math.min)),
  Equal: binary((one, other) => (typeof one === typeof other ? Number(one === other) : 0)),
  Sqrt: unary(Math.sqrt),
  Neg: unary((x) => -x),
  Floor: unary(Math.floor),
  Ceil: unary(Math.ceil),
};

/** Operators whose result can be known from the types alone. */
const fromTypes = new Set(["Shape"]);

/**
 * The result of a node that computes with lengths, as exported graphs do in front of a Reshape; undefined where it is
 * only known when the graph runs.
 */
export const propagateSymbols = (node: SymbolInput): Symbols | undefined => {
  const rule = rules[node.operator];
  const known = node.inputs.filter((input) => input !== undefined);
  const needed = node.types.filter((type) => type !== undefined).length;
  if (rule === undefined || (known.length < needed && !fromTypes.has(node.operator))) return undefined;
  const result = rule(
    node,
    node.inputs.map((input) => input as Symbols),
  );
  const complete = result?.values.every((value) => typeof value === "string" || Number.isFinite(value)) ?? false;
  return complete && (result?.values.length ?? 0) <= elementsMax ? result : undefined;
};
