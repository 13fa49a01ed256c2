/** State of a generator: four 32-bit words and a spare normal value; plain JSON, so that a run can be resumed. */
export interface RandomState {
  readonly words: readonly [number, number, number, number];
  readonly spareNormal: number | null;
}

/** A seeded source of random numbers; equal seeds give equal sequences on every machine. */
export interface Random {
  /** Next 32 random bits as an unsigned integer. */
  nextUint32(): number;
  /** Uniform in [0, 1), with 32 bits. */
  uniform(): number;
  /** Standard normal (Marsaglia's polar method). */
  normal(): number;
  /** Uniform integer in [0, n), without bias. */
  integerBelow(n: number): number;
  /** The numbers 0…n−1 in random order (Fisher–Yates). */
  permutation(n: number): Uint32Array;
  /** Fills with `value` where a draw falls below `probability`, else 0: dropout masks. */
  fillBernoulli(target: Float32Array, probability: number, value: number): void;
  /** A generator of its own for a part of the work; the same name gives the same stream. */
  split(name: string): Random;
  state(): RandomState;
  restore(state: RandomState): void;
}

const rotateLeft = (x: number, k: number): number => (x << k) | (x >>> (32 - k));

/** Mixes a counter into 32 bits (the finaliser of MurmurHash3 over Weyl steps, after splitmix). */
const splitMix = (seed: number): (() => number) => {
  let counter = seed | 0;
  return () => {
    counter = (counter + 0x9e3779b9) | 0;
    let z = counter ^ (counter >>> 16);
    z = Math.imul(z, 0x21f0aaad);
    z ^= z >>> 15;
    z = Math.imul(z, 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
};

/** 32-bit FNV-1a of a name, to derive a stream from it. */
const hashName = (name: string): number => {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash >>> 0;
};

class Xoshiro128 implements Random {
  #a = 0;
  #b = 0;
  #c = 0;
  #d = 0;
  #spareNormal: number | null = null;
  readonly #seeds: readonly [number, number];

  constructor(seed: number, stream: number) {
    this.#seeds = [seed, stream];
    const mix = splitMix(seed ^ Math.imul(stream, 0x9e3779b1));
    this.#a = mix();
    this.#b = mix();
    this.#c = mix();
    this.#d = mix() | 1;
  }

  nextUint32(): number {
    const result = Math.imul(rotateLeft(Math.imul(this.#b, 5), 7), 9) >>> 0;
    const t = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= t;
    this.#d = rotateLeft(this.#d, 11);
    return result;
  }

  uniform(): number {
    return this.nextUint32() / 4_294_967_296;
  }

  normal(): number {
    if (this.#spareNormal !== null) {
      const spare = this.#spareNormal;
      this.#spareNormal = null;
      return spare;
    }
    for (;;) {
      const u = 2 * this.uniform() - 1;
      const v = 2 * this.uniform() - 1;
      const s = u * u + v * v;
      if (s > 0 && s < 1) {
        const factor = Math.sqrt((-2 * Math.log(s)) / s);
        this.#spareNormal = v * factor;
        return u * factor;
      }
    }
  }

  integerBelow(n: number): number {
    const limit = 4_294_967_296 - (4_294_967_296 % n);
    let draw = this.nextUint32();
    while (draw >= limit) draw = this.nextUint32();
    return draw % n;
  }

  permutation(n: number): Uint32Array {
    const order = new Uint32Array(n);
    for (let i = 0; i < n; i++) order[i] = i;
    for (let i = n - 1; i > 0; i--) {
      const j = this.integerBelow(i + 1);
      const swapped = order[i] as number;
      order[i] = order[j] as number;
      order[j] = swapped;
    }
    return order;
  }

  fillBernoulli(target: Float32Array, probability: number, value: number): void {
    const threshold = probability * 4_294_967_296;
    for (let i = 0; i < target.length; i++) target[i] = this.nextUint32() < threshold ? value : 0;
  }

  split(name: string): Random {
    return new Xoshiro128(this.#seeds[0], (Math.imul(this.#seeds[1], 31) ^ hashName(name)) >>> 0);
  }

  state(): RandomState {
    return {
      words: [this.#a >>> 0, this.#b >>> 0, this.#c >>> 0, this.#d >>> 0],
      spareNormal: this.#spareNormal,
    };
  }

  restore(state: RandomState): void {
    [this.#a, this.#b, this.#c, this.#d] = state.words;
    this.#spareNormal = state.spareNormal;
  }
}

/**
 * Makes a generator (xoshiro128**, Blackman and Vigna 2018).
 * @param seed Integer 0…2³²−1.
 */
export const createRandom = (seed: number): Random => new Xoshiro128(seed >>> 0, 0);
