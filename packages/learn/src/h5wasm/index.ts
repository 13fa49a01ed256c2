import * as h5 from "h5wasm";
import type { Hdf5Array, Hdf5File, OpenHdf5 } from "../keras/hdf5.ts";

const library = await h5.ready;
const { FS } = library;
// Otherwise the library writes its complaints to the console and goes on.
library.activate_throwing_error_handler();

const textsOf = (value: unknown): readonly string[] => {
  if (typeof value === "string") return [value];
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : [];
};

class WasmHdf5File implements Hdf5File {
  readonly #name: string;
  readonly #file: h5.File;

  constructor(bytes: Uint8Array, name: string) {
    this.#name = name;
    FS.writeFile(name, bytes);
    try {
      this.#file = new h5.File(name, "r");
    } catch (cause) {
      FS.unlink(name);
      throw new Error("These bytes are not an HDF5 file, or a part of them is missing.", { cause });
    }
  }

  members(path: string): readonly string[] | undefined {
    const item = this.#find(path);
    return item instanceof h5.Group ? item.keys() : undefined;
  }

  array(path: string): Hdf5Array | undefined {
    const item = this.#find(path);
    if (!(item instanceof h5.Dataset)) return undefined;
    const value: unknown = item.value;
    const values = typeof value === "number" ? [value] : Array.from(value as ArrayLike<number | bigint>, Number);
    return { shape: item.shape ?? [], values: Float32Array.from(values) };
  }

  text(path: string, attribute: string): string | undefined {
    return this.texts(path, attribute)[0];
  }

  texts(path: string, attribute: string): readonly string[] {
    const item = this.#find(path);
    if (!(item instanceof h5.Group || item instanceof h5.Dataset)) return [];
    return textsOf(item.attrs[attribute]?.value);
  }

  [Symbol.dispose](): void {
    this.#file.close();
    FS.unlink(this.#name);
  }

  #find(path: string): unknown {
    return path === "/" ? this.#file : this.#file.get(path);
  }
}

let opened = 0;

/** Reads HDF5 files with h5wasm, in memory. */
export const openHdf5: OpenHdf5 = (bytes) => new WasmHdf5File(bytes, `file-${++opened}.h5`);
