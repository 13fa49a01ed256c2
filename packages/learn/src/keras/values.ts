import { activationNames } from "../layers/activation-config.ts";
import { invalidKeras } from "./invalid.ts";

/** An object of a configuration. */
export type Config = Readonly<Record<string, unknown>>;

/** Whether a value of a configuration is an object. */
export const isConfig = (value: unknown): value is Config =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** `kernel_size` → `kernelSize`. */
const camel = (key: string): string => key.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

/** `GlorotUniform` → `glorot_uniform`. */
export const snake = (name: string): string =>
  name
    .replaceAll(/(.)([A-Z][a-z]+)/g, "$1_$2")
    .replaceAll(/([a-z])([A-Z])/g, "$1_$2")
    .toLowerCase();

/** Fields with our names, without those that are null. */
export const camelFields = (config: Config): Record<string, unknown> =>
  Object.fromEntries(Object.entries(config).flatMap(([key, value]) => (value === null ? [] : [[camel(key), value]])));

interface Named {
  readonly name: string;
  readonly config: Config;
}

/** Whether a stored object is of a class that Keras itself does not have. */
export const isCustom = ({ module, registered_name: registered }: Config): boolean =>
  (typeof module === "string" && module !== "builtins" && !/^keras(\.|$)/.test(module)) ||
  (typeof registered === "string" && registered.includes(">"));

/** A Keras object stored as `{class_name, config}`, or by name alone. */
const namedOf = (value: unknown, what: string): Named => {
  if (typeof value === "string") return { name: value, config: {} };
  const { class_name: name, config, ...rest } = isConfig(value) ? value : {};
  if (isCustom(rest))
    throw invalidKeras(`${what} is the custom object ${JSON.stringify(rest["registered_name"] ?? name)}`);
  if (name === "function" && typeof config === "string") return { name: config, config: {} };
  if (typeof name === "string") return { name, config: isConfig(config) ? config : {} };
  throw invalidKeras(`${what} is ${JSON.stringify(value)?.slice(0, 100) ?? "missing"}, which is not known here`);
};

/** An activation by our name; code and custom functions are refused. */
export const activationOf = (value: unknown, what: string): unknown => {
  const { name, config } = namedOf(value, `the activation of ${what}`);
  const known = activationNames.find((one) => one === snake(name));
  if (known === undefined)
    throw invalidKeras(`the activation of ${what} is ${JSON.stringify(name)}, which is not known`);
  const fields = camelFields(config);
  delete fields["name"];
  delete fields["dtype"];
  return Object.keys(fields).length === 0 ? known : { name: known, ...fields };
};

const renamedFields: Readonly<Record<string, string>> = {
  minval: "minimum",
  maxval: "maximum",
  stddev: "standardDeviation",
};

/** Fields that say nothing here: weights are loaded, and seeds belong to a training. */
const idleFields = new Set(["seed", "dtype", "inputAxes", "outputAxes"]);

/** An initializer by our name. */
export const initializerOf = (value: unknown, what: string): unknown => {
  const { name, config } = namedOf(value, `the initializer of ${what}`);
  const aliases: Readonly<Record<string, string>> = { identity_initializer: "identity" };
  const known = aliases[snake(name)] ?? snake(name);
  const fields = Object.entries(camelFields(config)).filter(([key]) => !idleFields.has(key));
  const plain = /^(?:zeros|ones|(?:glorot|he|lecun)_(?:uniform|normal))$/.test(known);
  if (plain || fields.length === 0) return known;
  return { name: known, ...Object.fromEntries(fields.map(([key, field]) => [renamedFields[key] ?? key, field])) };
};

/** A regularizer by our name. */
export const regularizerOf = (value: unknown, what: string): unknown => {
  const { name, config } = namedOf(value, `the regularizer of ${what}`);
  const aliases: Readonly<Record<string, string>> = {
    l1l2: "l1_l2",
    orthogonal_regularizer: "orthogonal",
  };
  const known = aliases[name.toLowerCase()] ?? aliases[snake(name)] ?? name.toLowerCase();
  return { name: known, ...camelFields(config) };
};

/** A constraint by our name. */
export const constraintOf = (value: unknown, what: string): unknown => {
  const { name, config } = namedOf(value, `the constraint of ${what}`);
  const { w: _w, ...fields } = camelFields(config);
  return { name: snake(name), ...fields };
};
