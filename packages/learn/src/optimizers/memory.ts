import { LearnError } from "../errors.ts";
import { type Kernels, linkKernels } from "./kernels.ts";

/** A weight that has a place in the memory. */
export interface ParameterSpec {
  readonly name: string;
  readonly shape: readonly number[];
}

/** A parameter's place: offset and length in float32 elements, the same in every region of trainable parameters. */
export interface ParameterPlace extends ParameterSpec {
  readonly offset: number;
  readonly length: number;
}

/** A buffer beside the parameters: batch inputs, targets, masks, statistics, outputs. */
export interface BufferSpec {
  readonly name: string;
  readonly dtype: "float32" | "int32";
  /** Number of elements. */
  readonly length: number;
}

/** What the memory of a training is to hold. */
export interface MemoryLayout {
  /** Parameters that the optimizer updates. */
  readonly trainable: readonly ParameterSpec[];
  /** Arrays as large as all trainable parameters that the optimizer keeps. */
  readonly slots: number;
  readonly buffers: readonly BufferSpec[];
  /** Parts of a batch whose gradients are computed at the same time, by threads that share the memory; default 1. */
  readonly lanes?: number;
}

const pageBytes = 65_536;
const alignBytes = 64;
const maximumBytes = 2 ** 32 - pageBytes;
/** Nothing is placed at 0: kernels read a pointer of 0 as "absent". */
const startBytes = 1024;

const align = (bytes: number): number => Math.ceil(bytes / alignBytes) * alignBytes;
const countOf = (shape: readonly number[]): number => shape.reduce((product, length) => product * length, 1);

/**
 * One WebAssembly memory that holds weights, gradients, optimizer slots and batch buffers.
 * The executor reads and writes it in place, and the SIMD kernels update all weights with one call, because every
 * region of trainable parameters (weights, gradients, each slot) has the same element offsets.
 */
export class TrainingMemory {
  readonly memory: WebAssembly.Memory;
  readonly kernels: Kernels;
  /** Places of the trainable parameters inside each region. */
  readonly places: readonly ParameterPlace[];
  /** Elements of a region, padding between parameters included. */
  readonly regionLength: number;
  readonly #regionsStart: number;
  readonly #regionBytes: number;
  readonly #slots: number;
  readonly #lanes: number;
  readonly #buffers = new Map<string, { readonly start: number; readonly spec: BufferSpec }>();

  /** @throws LearnError `out-of-memory` when more than 4 GiB would be needed or the runtime has no room. */
  constructor(layout: MemoryLayout) {
    let offset = 0;
    this.places = layout.trainable.map((parameter) => {
      const length = countOf(parameter.shape);
      const place = { ...parameter, offset, length };
      offset += align(length * 4) / 4;
      return place;
    });
    this.regionLength = offset;
    this.#slots = layout.slots;
    this.#lanes = layout.lanes ?? 1;
    this.#regionsStart = startBytes;
    this.#regionBytes = align(this.regionLength * 4);
    let cursor = this.#regionsStart + this.#regionBytes * (1 + this.#lanes + layout.slots);
    for (const spec of layout.buffers) {
      this.#buffers.set(spec.name, { start: cursor, spec });
      cursor += align(spec.length * 4);
    }
    this.memory = TrainingMemory.#allocate(cursor, this.#lanes > 1);
    this.kernels = linkKernels(this.memory);
  }

  static #allocate(bytes: number, shared: boolean): WebAssembly.Memory {
    const needed = `${Math.ceil(bytes / 2 ** 20)} MiB`;
    if (bytes > maximumBytes) {
      throw new LearnError(
        "out-of-memory",
        `The training needs ${needed} for weights, gradients, optimizer and batch, but 4096 MiB is the limit. Use a smaller model or batch size.`,
      );
    }
    const pages = Math.ceil(bytes / pageBytes);
    try {
      return new WebAssembly.Memory({ initial: pages, maximum: pages, shared });
    } catch (cause) {
      throw new LearnError(
        "out-of-memory",
        `The training needs ${needed} of memory, and the machine did not give it. Use a smaller model or batch size.`,
        { cause },
      );
    }
  }

  /** Byte offset of the weights' region. */
  get weightsPointer(): number {
    return this.#regionsStart;
  }

  /** Byte offset of the gradients' region. */
  get gradientsPointer(): number {
    return this.laneGradientsPointer(0);
  }

  /** Byte offset of the region that a lane's gradients lie in; those of lane 0 are what the optimizer reads. */
  laneGradientsPointer(lane: number): number {
    if (lane < 0 || lane >= this.#lanes) throw new RangeError(`There is no lane ${lane}.`);
    return this.#regionsStart + this.#regionBytes * (1 + lane);
  }

  /** Adds the gradients of the lanes up to `lanes` into lane 0, in their order, so that equal parts give equal sums. */
  sumGradients(lanes: number): void {
    for (let lane = 1; lane < lanes; lane++) {
      this.kernels.accumulate(this.gradientsPointer, this.laneGradientsPointer(lane), this.regionLength);
    }
  }

  /** Byte offset of an optimizer slot's region. */
  slotPointer(slot: number): number {
    if (slot < 0 || slot >= this.#slots) throw new RangeError(`There is no optimizer slot ${slot}.`);
    return this.#regionsStart + this.#regionBytes * (1 + this.#lanes + slot);
  }

  /** All elements of a region as one view: float32 [regionLength]. */
  region(pointer: number): Float32Array {
    return new Float32Array(this.memory.buffer, pointer, this.regionLength);
  }

  /** A parameter's elements inside the region at `pointer`. */
  view(pointer: number, place: ParameterPlace): Float32Array {
    return new Float32Array(this.memory.buffer, pointer + place.offset * 4, place.length);
  }

  /** A float32 buffer by name. */
  floats(name: string): Float32Array {
    const { start, spec } = this.#find(name, "float32");
    return new Float32Array(this.memory.buffer, start, spec.length);
  }

  /** An int32 buffer by name. */
  integers(name: string): Int32Array {
    const { start, spec } = this.#find(name, "int32");
    return new Int32Array(this.memory.buffer, start, spec.length);
  }

  #find(name: string, dtype: BufferSpec["dtype"]): { readonly start: number; readonly spec: BufferSpec } {
    const buffer = this.#buffers.get(name);
    if (!buffer || buffer.spec.dtype !== dtype) throw new RangeError(`There is no ${dtype} buffer named ${name}.`);
    return buffer;
  }
}
