import type { TensorData } from "../training/executor.ts";
import type { SessionOptions } from "./session.ts";

/** Places in the numbers that a lane's thread and its owner share. */
export const word = {
  /** Requests made; the thread sleeps until it rises. */
  requested: 0,
  /** Requests answered; the owner is told when it rises. */
  answered: 1,
  /** Binding to run, or 0 for a request that is a message. */
  binding: 2,
} as const;

/** Number of shared numbers. */
export const wordCount = 3;

/** What a lane is asked for by message. */
export type LaneRequest =
  | { readonly kind: "load"; readonly session: number; readonly model: Uint8Array; readonly options: SessionOptions }
  | {
      readonly kind: "bind";
      readonly session: number;
      readonly binding: number;
      readonly inputs: Readonly<Record<string, TensorData>>;
      readonly outputs: Readonly<Record<string, TensorData>>;
    }
  | { readonly kind: "release"; readonly session: number };

/** What a lane sends when a request failed. */
export interface LaneFailure {
  readonly message: string;
}
