import type { WeightStorage } from "../layers/layer.ts";

const stridesOf = (shape: readonly number[]): number[] => {
  const strides = shape.map(() => 1);
  for (let axis = shape.length - 2; axis >= 0; axis--)
    strides[axis] = (strides[axis + 1] ?? 1) * (shape[axis + 1] ?? 1);
  return strides;
};

/** For each element in the engine's order, its place in the public order. */
const publicPlaces = ({ unfolded, order }: WeightStorage): Uint32Array => {
  const strides = stridesOf(unfolded);
  const lengths = order.map((axis) => unfolded[axis] ?? 1);
  const steps = order.map((axis) => strides[axis] ?? 1);
  const places = new Uint32Array(lengths.reduce((product, length) => product * length, 1));
  const at = lengths.map(() => 0);
  let place = 0;
  for (let i = 0; i < places.length; i++) {
    places[i] = place;
    for (let axis = at.length - 1; axis >= 0; axis--) {
      at[axis] = (at[axis] ?? 0) + 1;
      place += steps[axis] ?? 0;
      if ((at[axis] ?? 0) < (lengths[axis] ?? 1)) break;
      place -= (steps[axis] ?? 0) * (lengths[axis] ?? 1);
      at[axis] = 0;
    }
  }
  return places;
};

/** Writes public values into the engine's layout. */
export const storeValues = (
  target: Float32Array,
  values: ArrayLike<number>,
  storage: WeightStorage | undefined,
): void => {
  if (storage === undefined) {
    target.set(values);
    return;
  }
  const places = publicPlaces(storage);
  for (let i = 0; i < places.length; i++) target[i] = values[places[i] as number] as number;
};

/** Reads values out of the engine's layout into the public one. */
export const loadValues = (source: Float32Array, storage: WeightStorage | undefined): Float32Array<ArrayBuffer> => {
  if (storage === undefined) return Float32Array.from(source);
  const places = publicPlaces(storage);
  const values = new Float32Array(source.length);
  for (let i = 0; i < places.length; i++) values[places[i] as number] = source[i] as number;
  return values;
};
