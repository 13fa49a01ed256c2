/** Delivers events inside a process: how a later slice reacts to an earlier one without an import backwards. */
export interface EventBus<Events extends Record<string, unknown>> {
  /** Calls every listener in order of registration; a listener's failure reaches `onError`, not the publisher. */
  publish<Name extends keyof Events>(name: Name, event: Events[Name]): Promise<void>;
  /** Listens until the returned function is called. */
  subscribe<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => Promise<void> | void): () => void;
}

/**
 * Makes a bus.
 * @param onError Told of failures of listeners.
 */
export const createEventBus = <Events extends Record<string, unknown>>(
  onError: (name: keyof Events, error: unknown) => void,
): EventBus<Events> => {
  type Listener = (event: never) => Promise<void> | void;
  const listeners = new Map<keyof Events, Set<Listener>>();
  return {
    publish: async (name, event) => {
      for (const listener of listeners.get(name) ?? []) {
        try {
          await listener(event as never);
        } catch (error) {
          onError(name, error);
        }
      }
    },
    subscribe: (name, listener) => {
      const set = listeners.get(name) ?? new Set<Listener>();
      listeners.set(name, set.add(listener));
      return () => void set.delete(listener);
    },
  };
};
