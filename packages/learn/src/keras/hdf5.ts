/** An array of an HDF5 file; whole numbers and other floating-point types come as float32. */
export interface Hdf5Array {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** An HDF5 file that was opened: a tree of groups and arrays, with attributes. Paths are separated by `/`. */
export interface Hdf5File extends Disposable {
  /** Names of a group's members; undefined when there is no group at the path. */
  members(path: string): readonly string[] | undefined;
  /** The array at a path; undefined when there is none. */
  array(path: string): Hdf5Array | undefined;
  /** The text of an attribute; undefined when there is none. */
  text(path: string, attribute: string): string | undefined;
  /** The texts of an attribute that holds a list; empty when there is none. */
  texts(path: string, attribute: string): readonly string[];
}

/** Opens the bytes of an HDF5 file. The reader that the caller passes in. @throws when they are not such a file. */
export type OpenHdf5 = (bytes: Uint8Array) => Hdf5File;
