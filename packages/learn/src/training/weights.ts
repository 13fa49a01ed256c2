import { constrain } from "../constraints/index.ts";
import type { ResolvedModel } from "../definition/resolve.ts";
import { LearnError } from "../errors.ts";
import { initialize } from "../initializers/index.ts";
import type { WeightSpec, WeightStorage } from "../layers/layer.ts";
import { elementCount } from "../onnx/tensor.ts";
import { TrainingMemory } from "../optimizers/index.ts";
import type { ParameterPlace } from "../optimizers/index.ts";
import type { Random } from "../random.ts";

/** A weight's values in its public Keras layout. */
export interface WeightValues {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

interface StoredWeight {
  readonly spec: WeightSpec;
  readonly storage: WeightStorage;
  readonly place: ParameterPlace | undefined;
  readonly values: Float32Array;
}

const strides = (shape: readonly number[]): number[] => {
  const result = shape.map(() => 1);
  for (let axis = shape.length - 2; axis >= 0; axis--) result[axis] = (result[axis + 1] ?? 1) * (shape[axis + 1] ?? 1);
  return result;
};

const isIdentity = (order: readonly number[]): boolean => order.every((axis, index) => axis === index);

/** Calls back with the place of each element in the engine's order and in the public one. */
const forEachElement = (storage: WeightStorage, visit: (stored: number, open: number) => void): void => {
  const steps = strides(storage.unfolded);
  const lengths = storage.order.map((axis) => storage.unfolded[axis] ?? 1);
  const moves = storage.order.map((axis) => steps[axis] ?? 1);
  const count = elementCount(lengths);
  const index = lengths.map(() => 0);
  let open = 0;
  for (let stored = 0; stored < count; stored++) {
    visit(stored, open);
    for (let axis = lengths.length - 1; axis >= 0; axis--) {
      index[axis] = (index[axis] as number) + 1;
      open += moves[axis] as number;
      if ((index[axis] as number) < (lengths[axis] as number)) break;
      open -= (moves[axis] as number) * (lengths[axis] as number);
      index[axis] = 0;
    }
  }
};

/** Copies values from the public layout into the engine's. */
const store = (source: ArrayLike<number>, target: Float32Array, storage: WeightStorage): void => {
  if (isIdentity(storage.order)) target.set(source);
  else forEachElement(storage, (stored, open) => (target[stored] = source[open] as number));
};

/** Copies values from the engine's layout into the public one. */
const unstore = (source: Float32Array, storage: WeightStorage): Float32Array => {
  if (isIdentity(storage.order)) return source.slice();
  const target = new Float32Array(source.length);
  forEachElement(storage, (stored, open) => (target[open] = source[stored] as number));
  return target;
};

/** A float32 array of zeros, in memory that other threads see or in its own. */
export const floatArray = (length: number, shared: boolean): Float32Array =>
  new Float32Array(shared ? new SharedArrayBuffer(length * 4) : new ArrayBuffer(length * 4));

/** Below it an optimizer slot counts as zero; far above the subnormal numbers (1.2e-38), far below any epsilon squared. */
const tiny = 1e-34;

/** All weights of a model, with gradients and optimizer slots in one memory. */
export class WeightStore {
  readonly memory: TrainingMemory;
  /** Arrays as large as all learnt weights that the optimizer keeps. */
  readonly slots: number;
  /** Parts of a batch that are computed at the same time; with more than one, all arrays lie in shared memory. */
  readonly lanes: number;
  readonly #weights = new Map<string, StoredWeight>();

  constructor(
    model: ResolvedModel,
    storages: ReadonlyMap<string, WeightStorage>,
    { slots, lanes }: { readonly slots: number; readonly lanes: number },
  ) {
    this.slots = slots;
    this.lanes = lanes;
    const specs = model.layers.flatMap((layer) =>
      layer.weights.map((spec) => ({ name: `${layer.name}/${spec.name}`, spec })),
    );
    const storageOf = (name: string, spec: WeightSpec): WeightStorage =>
      storages.get(name) ?? { unfolded: spec.shape, order: spec.shape.map((_, axis) => axis), shape: spec.shape };
    const trainable = specs
      .filter(({ spec }) => spec.trainable)
      .map(({ name, spec }) => ({ name, shape: storageOf(name, spec).shape }));
    this.memory = new TrainingMemory({ trainable, slots, lanes, buffers: [] });
    for (const { name, spec } of specs) {
      const place = this.memory.places.find((candidate) => candidate.name === name);
      const values =
        place === undefined
          ? floatArray(elementCount(spec.shape), lanes > 1)
          : this.memory.view(this.memory.weightsPointer, place);
      this.#weights.set(name, { spec, storage: storageOf(name, spec), place, values });
    }
  }

  /** Full names of all weights, in the order of the layers. */
  names(): string[] {
    return [...this.#weights.keys()];
  }

  /** Fills every weight by its initializer; each draws from a stream of its own. */
  initialize(random: Random): void {
    for (const [name, { spec, storage, values }] of this.#weights) {
      const open = new Float32Array(values.length);
      initialize(open, spec.shape, { initializer: spec.initializer, random: random.split(`initial/${name}`) });
      store(open, values, storage);
    }
  }

  /** A weight as the engine sees it; writing to the array changes the weight. */
  inside(name: string): { readonly shape: readonly number[]; readonly values: Float32Array } {
    const { storage, values } = this.#find(name);
    return { shape: storage.shape, values };
  }

  /** A learnt weight's gradient over a lane's part of the batch, as the engine sees it. */
  gradient(name: string, lane: number): { readonly shape: readonly number[]; readonly values: Float32Array } {
    const { storage, place } = this.#find(name);
    if (place === undefined) throw new LearnError("layer-invalid", `The weight "${name}" is not learnt.`);
    return { shape: storage.shape, values: this.memory.view(this.memory.laneGradientsPointer(lane), place) };
  }

  /** Copies a weight out in its public layout. */
  get(name: string): WeightValues {
    const { spec, storage, values } = this.#find(name);
    return { shape: spec.shape, values: unstore(values, storage) };
  }

  /** Replaces a weight's values, given in its public layout. */
  set(name: string, source: ArrayLike<number>): void {
    const { spec, storage, values } = this.#find(name);
    if (source.length !== values.length) {
      throw new LearnError(
        "shape-mismatch",
        `The weight "${name}" has shape [${spec.shape.join(", ")}] and takes ${values.length} values, but ${source.length} came.`,
      );
    }
    store(source, values, storage);
  }

  /** Holds the learnt weights to their constraints, after an update. */
  constrain(): void {
    for (const { spec, storage, values } of this.#weights.values()) {
      if (spec.constraint === undefined || !spec.trainable) continue;
      const open = unstore(values, storage);
      constrain(open, spec.shape, spec.constraint);
      store(open, values, storage);
    }
  }

  /** Copies an optimizer slot of a learnt weight out, in the weight's public layout; undefined for other weights. */
  slot(name: string, slot: number): Float32Array | undefined {
    const { storage, place } = this.#find(name);
    return place && unstore(this.memory.view(this.memory.slotPointer(slot), place), storage);
  }

  /** Replaces an optimizer slot of a learnt weight. */
  setSlot(name: string, slot: number, source: ArrayLike<number>): void {
    const { storage, place } = this.#find(name);
    if (place !== undefined) store(source, this.memory.view(this.memory.slotPointer(slot), place), storage);
  }

  /**
   * Sets what has all but decayed in the optimizer's slots to zero. A weight whose gradient stays 0 leaves its moments
   * decaying into subnormal numbers, which processors handle so slowly that an update takes ten times as long.
   */
  flushTinySlots(): void {
    const { memory } = this;
    for (let slot = 0; slot < this.slots; slot++) {
      const values = new Float32Array(memory.memory.buffer, memory.slotPointer(slot), memory.regionLength);
      for (let i = 0; i < values.length; i++) if (Math.abs(values[i] as number) < tiny) values[i] = 0;
    }
  }

  #find(name: string): StoredWeight {
    const weight = this.#weights.get(name);
    if (weight !== undefined) return weight;
    throw new LearnError(
      "shape-mismatch",
      `There is no weight "${name}". The weights are: ${this.names().join(", ")}.`,
    );
  }
}
