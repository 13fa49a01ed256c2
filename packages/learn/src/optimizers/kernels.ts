import { kernelsBase64, sharedKernelsBase64 } from "./kernels.generated.ts";

/** The optimizer kernels; pointers are byte offsets into the shared memory, `n` counts float32 elements. */
export interface Kernels {
  sgd(w: number, g: number, n: number, rate: number, keep: number): void;
  sgdMomentum(...args: [w: number, g: number, m: number, n: number, ...rest: (number | boolean)[]]): void;
  adam(...args: [w: number, g: number, m: number, v: number, n: number, ...rest: number[]]): void;
  adamAmsgrad(...args: [w: number, g: number, m: number, v: number, top: number, n: number, ...rest: number[]]): void;
  rmsprop(...args: [w: number, g: number, v: number, n: number, ...rest: number[]]): void;
  rmspropGeneral(...args: [w: number, g: number, v: number, mean: number, m: number, ...rest: number[]]): void;
  adagrad(...args: [w: number, g: number, v: number, n: number, ...rest: number[]]): void;
  adadelta(...args: [w: number, g: number, v: number, u: number, n: number, ...rest: number[]]): void;
  adamax(...args: [w: number, g: number, m: number, u: number, n: number, ...rest: number[]]): void;
  nadam(...args: [w: number, g: number, m: number, v: number, n: number, ...rest: number[]]): void;
  lion(...args: [w: number, g: number, m: number, n: number, ...rest: number[]]): void;
  accumulate(a: number, g: number, n: number): void;
  takeAccumulated(g: number, a: number, n: number, steps: number): void;
  average(a: number, w: number, n: number, momentum: number): void;
  scale(g: number, n: number, factor: number): void;
  clampValue(g: number, n: number, limit: number): void;
  sumOfSquares(g: number, n: number): number;
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** Decodes base64 without help of the runtime: neither Node's nor the browser's function is in ECMAScript. */
const decodeBase64 = (text: string): Uint8Array<ArrayBuffer> => {
  const digits = text.replaceAll("=", "");
  const bytes = new Uint8Array(Math.floor((digits.length * 3) / 4));
  let bits = 0;
  let held = 0;
  let at = 0;
  for (const digit of digits) {
    bits = (bits << 6) | alphabet.indexOf(digit);
    held += 6;
    if (held >= 8) {
      held -= 8;
      bytes[at++] = (bits >> held) & 0xff;
    }
  }
  return bytes;
};

const compiled = new Map<string, WebAssembly.Module>();

const compile = (base64: string): WebAssembly.Module => {
  const known = compiled.get(base64);
  if (known !== undefined) return known;
  const made = new WebAssembly.Module(decodeBase64(base64));
  compiled.set(base64, made);
  return made;
};

/** Links the kernels to a memory; each module is compiled once. A module says in advance whether its memory is shared. */
export const linkKernels = (memory: WebAssembly.Memory): Kernels => {
  const shared = memory.buffer instanceof SharedArrayBuffer;
  const module = compile(shared ? sharedKernelsBase64 : kernelsBase64);
  return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Kernels;
};
