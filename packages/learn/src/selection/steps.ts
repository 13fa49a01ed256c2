/**
 * Work that is done in small pieces: between two of them whoever drives it can let others have the thread.
 * Its last value is the result.
 */
export type Stepwise<Result> = Generator<void, Result, void>;

/** Rows that are worked on between two pauses: a few milliseconds at most. */
export const rowsPerStep = 16_384;

/** Does work without a pause. */
export const finish = <Result>(work: Stepwise<Result>): Result => {
  let step = work.next();
  while (step.done !== true) step = work.next();
  return step.value;
};
