import type { LayerSpec, ModelDefinition } from "../definition/definition.ts";
import { resolveDefinition } from "../definition/resolve.ts";
import type { Hdf5Array, Hdf5File } from "./hdf5.ts";
import { invalidKeras } from "./invalid.ts";
import { snake } from "./values.ts";

/** Arrays of each layer that has some, by the layer's name; a model within a model holds its own. */
export type StoredWeights = ReadonlyMap<string, readonly Hdf5Array[] | StoredWeights>;

/** Groups inside a layer's group that hold weights, in the order of our weights. */
const subGroups: readonly string[] = [
  "cell",
  "forward_layer",
  "backward_layer",
  "layer",
  "query_dense",
  "key_dense",
  "value_dense",
  "output_dense",
];

const arraysUnder = (file: Hdf5File, path: string): readonly Hdf5Array[] => {
  const members = file.members(`${path}/vars`) ?? [];
  const own = members
    .toSorted((one, other) => Number(one) - Number(other))
    .flatMap((name) => file.array(`${path}/vars/${name}`) ?? []);
  return [
    ...own,
    ...subGroups.flatMap((group) => (file.members(`${path}/${group}`) ? arraysUnder(file, `${path}/${group}`) : [])),
  ];
};

const isModel = (spec: LayerSpec): spec is LayerSpec & { readonly definition: ModelDefinition } =>
  spec.layer === "Model" && spec["shares"] === undefined;

/**
 * Weights of the file inside a `.keras` archive. Its groups carry their layers' names; without them, groups are counted
 * by class in the order of the layers (`dense`, `dense_1`, …).
 */
export const archiveWeights = (file: Hdf5File, definition: ModelDefinition, root = ""): StoredWeights => {
  const folder =
    file.members(`${root}/layers`) === undefined ? `${root}/_layer_checkpoint_dependencies` : `${root}/layers`;
  const groups = file.members(folder) ?? [];
  const byName = new Map(
    groups.flatMap((group) => {
      const name = file.text(`${folder}/${group}/vars`, "name") ?? file.text(`${folder}/${group}`, "name");
      return name === undefined ? [] : [[name, group] as const];
    }),
  );
  const counts = new Map<string, number>();
  const counted = (spec: LayerSpec): string => {
    const className = isModel(spec) ? spec.definition.kind : spec.layer === "Input" ? "InputLayer" : spec.layer;
    const base = snake(className);
    const count = counts.get(base) ?? 0;
    counts.set(base, count + 1);
    return count === 0 ? base : `${base}_${count}`;
  };
  const owners = definition.layers.filter((spec) => spec["shares"] === undefined);
  return new Map(
    owners.map((spec) => {
      const group = counted(spec);
      const path = `${folder}/${byName.get(spec.name ?? "") ?? group}`;
      return [spec.name ?? "", isModel(spec) ? archiveWeights(file, spec.definition, path) : arraysUnder(file, path)];
    }),
  );
};

const counting = (path: string): boolean => path.includes("seed_generator");

/** Weights of a legacy `.h5` file: every layer lists its arrays in order; those of a model within come one after another. */
export const legacyWeights = (file: Hdf5File, root: string): ReadonlyMap<string, readonly Hdf5Array[]> =>
  new Map(
    (file.members(root) ?? []).map((layer) => {
      const path = `${root}/${layer}`;
      const names = file.texts(path, "weight_names").filter((name) => !counting(name));
      return [layer, names.flatMap((name) => file.array(`${path}/${name}`) ?? [])];
    }),
  );

/** Weights by our full names. */
export type NamedWeights = ReadonlyMap<string, Hdf5Array>;

const text = (shape: readonly number[]): string => `[${shape.join(", ")}]`;

interface Slot {
  readonly name: string;
  readonly shape: readonly number[];
}

const assign = (layer: string, slots: readonly Slot[], arrays: readonly Hdf5Array[]): [string, Hdf5Array][] => {
  if (arrays.length < slots.length) {
    throw invalidKeras(`the layer "${layer}" has ${slots.length} weights, but the file holds ${arrays.length} for it`);
  }
  return slots.map(({ name, shape }, index) => {
    const array = arrays[index] as Hdf5Array;
    if (array.shape.join() === shape.join()) return [name, array];
    throw invalidKeras(`the weight "${name}" has the shape ${text(shape)}, but the file holds ${text(array.shape)}`);
  });
};

/** Our own weights of each layer at the outermost level, in order; those of a model within stand under its layer. */
const slotsOf = (definition: ModelDefinition): ReadonlyMap<string, readonly Slot[]> => {
  const slots = new Map<string, Slot[]>();
  for (const { name, weights } of resolveDefinition(definition).layers) {
    const [outer = name] = name.split("/");
    const list = slots.get(outer) ?? [];
    list.push(...weights.map((weight) => ({ name: `${name}/${weight.name}`, shape: weight.shape })));
    slots.set(outer, list);
  }
  return slots;
};

const flat = (stored: readonly Hdf5Array[] | StoredWeights): readonly Hdf5Array[] =>
  stored instanceof Map ? [...(stored as StoredWeights).values()].flatMap(flat) : (stored as readonly Hdf5Array[]);

/** Gives every weight of a definition the array of the file that is its own. */
export const namedWeights = (definition: ModelDefinition, stored: StoredWeights): NamedWeights =>
  new Map(
    [...slotsOf(definition)].flatMap(([layer, slots]) => {
      if (slots.length === 0) return [];
      return assign(layer, slots, flat(stored.get(layer) ?? []));
    }),
  );
