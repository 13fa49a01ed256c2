/** What a member tells its supervisor when it can do its work. */
export interface ReadyMessage {
  readonly kind: "ready";
  readonly fields: Readonly<Record<string, string>>;
}

/** Whether a message of the channel says that the sender is ready. */
export const isReadyMessage = (message: unknown): message is ReadyMessage =>
  typeof message === "object" &&
  message !== null &&
  "kind" in message &&
  message.kind === "ready" &&
  "fields" in message &&
  typeof message.fields === "object";

/** One end of the channel between a supervisor and a member. */
export interface MessageChannel {
  /** Sends; lost without error when the other end is gone. */
  send(message: unknown): void;
  /** Listens until the returned function is called. */
  onMessage(listener: (message: unknown) => void): () => void;
}

/**
 * A member's side of its life: how it says that it is ready and learns that it must end.
 * Disposing closes the channel, which would keep the process alive.
 */
export interface MemberLink extends Disposable {
  /** Channel to the supervisor; `null` when the process was started alone. */
  readonly channel: MessageChannel | null;
  /** Says that the work can begin, with facts for whoever observes. */
  ready(fields?: Readonly<Record<string, string>>): void;
  /** Settles once when the process is asked to end (SIGTERM, or SIGINT when started alone) or its supervisor is gone. */
  readonly ended: Promise<"asked" | "orphaned">;
}

/**
 * Joins this process to its supervisor. Call once, early: from here on a closed channel ends the work.
 * A supervised member ignores SIGINT, since a terminal sends it to the whole group and the supervisor decides the order.
 */
export const joinSupervisor = (): MemberLink => {
  const send = process.send?.bind(process);
  const { promise: ended, resolve } = Promise.withResolvers<"asked" | "orphaned">();
  process.on("SIGTERM", () => resolve("asked"));
  process.on("SIGINT", () => {
    if (send === undefined) resolve("asked");
  });
  if (send === undefined) return { channel: null, ready: () => {}, ended, [Symbol.dispose]: () => {} };
  process.once("disconnect", () => resolve("orphaned"));
  if (!process.connected) resolve("orphaned");
  const channel: MessageChannel = {
    send: (message) => {
      // A failed send means that the channel is closing; `disconnect` follows and ends the process.
      if (process.connected) send(message, undefined, undefined, () => {});
    },
    onMessage: (listener) => {
      process.on("message", listener);
      return () => void process.off("message", listener);
    },
  };
  return {
    channel,
    ready: (fields = {}) => channel.send({ kind: "ready", fields }),
    ended,
    [Symbol.dispose]: () => {
      if (process.connected) process.disconnect();
    },
  };
};
