/** Something that can be looked at and tells of changes. */
export interface Observable<T> {
  readonly observe: () => Promise<T>;
  readonly onChange: (listener: () => void) => () => void;
}

/** Looks again after every change until what is seen fits. The test's own time limit ends the wait. */
export const untilObserved = async <T>(source: Observable<T>, fits: (seen: T) => boolean): Promise<T> => {
  for (;;) {
    const changed = Promise.withResolvers<void>();
    // Before the look: a change between look and wait must not be missed.
    const stop = source.onChange(() => changed.resolve());
    try {
      const seen = await source.observe();
      if (fits(seen)) return seen;
      await changed.promise;
    } finally {
      stop();
    }
  }
};
