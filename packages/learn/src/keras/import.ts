import type { ModelDefinition } from "../definition/definition.ts";
import { LearnError } from "../errors.ts";
import { readArchive } from "./archive.ts";
import { type DefinitionOptions, modelDefinition } from "./definition.ts";
import type { Hdf5Array, Hdf5File, OpenHdf5 } from "./hdf5.ts";
import { invalidKeras } from "./invalid.ts";
import { fittedNormalizations } from "./normalization.ts";
import { type Config, isConfig } from "./values.ts";
import { archiveWeights, legacyWeights, type NamedWeights, namedWeights, type StoredWeights } from "./weights.ts";

/** Options of {@link importKeras}. */
export interface KerasImportOptions extends DefinitionOptions {
  /** Opens HDF5; `@modelyard/learn/h5wasm` has one. */
  readonly openHdf5: OpenHdf5;
  /** Larger files, or larger weights inside of an archive, are refused; default 2 GiB. */
  readonly bytesMax?: number;
}

/** A Keras model that was read. */
export interface KerasModel {
  readonly definition: ModelDefinition;
  /** By full name, `layer/weight`, as `Learner.setWeight` takes them. */
  readonly weights: ReadonlyMap<string, Hdf5Array>;
}

const isZip = (bytes: Uint8Array): boolean => bytes[0] === 0x50 && bytes[1] === 0x4b;

const parsed = (text: string): Config => {
  try {
    const value: unknown = JSON.parse(text);
    if (isConfig(value)) return value;
  } catch {
    // Told below.
  }
  throw invalidKeras("its configuration is not valid JSON");
};

const opened = (openHdf5: OpenHdf5, bytes: Uint8Array): Hdf5File => {
  try {
    return openHdf5(bytes);
  } catch (cause) {
    throw invalidKeras("it is no HDF5 file and no zip archive, or a part of it is missing", { cause });
  }
};

const complete = (definition: ModelDefinition, stored: StoredWeights): KerasModel => {
  const fitted = fittedNormalizations(definition, stored);
  const weights: NamedWeights = namedWeights(fitted, stored);
  return { definition: fitted, weights };
};

const importArchive = (bytes: Uint8Array, options: KerasImportOptions): KerasModel => {
  const { config, weights } = readArchive(bytes, options.bytesMax ?? 2 ** 31);
  const definition = modelDefinition(parsed(config), options);
  if (weights === undefined) throw invalidKeras("its archive holds no model.weights.h5");
  using file = opened(options.openHdf5, weights);
  return complete(definition, archiveWeights(file, definition));
};

const importLegacy = (bytes: Uint8Array, options: KerasImportOptions): KerasModel => {
  using file = opened(options.openHdf5, bytes);
  const config = file.text("/", "model_config");
  if (config === undefined) {
    throw invalidKeras("it holds weights without a model; import the whole model, saved by model.save()");
  }
  const definition = modelDefinition(parsed(config), options);
  return complete(definition, legacyWeights(file, "model_weights"));
};

/**
 * Reads a Keras model: a `.keras` archive of Keras 3, or a whole model as legacy `.h5`. Only data is read: layers that
 * hold code and custom classes are refused.
 * @throws LearnError `keras-invalid` saying what is wrong and where.
 */
export const importKeras = (bytes: Uint8Array, options: KerasImportOptions): KerasModel => {
  const bytesMax = options.bytesMax ?? 2 ** 31;
  if (bytes.length > bytesMax) throw invalidKeras(`it has ${bytes.length} bytes, but ${bytesMax} are the limit`);
  try {
    return isZip(bytes) ? importArchive(bytes, options) : importLegacy(bytes, options);
  } catch (cause) {
    if (!(cause instanceof LearnError) || cause.code === "keras-invalid") throw cause;
    throw invalidKeras(cause.message, { cause });
  }
};
