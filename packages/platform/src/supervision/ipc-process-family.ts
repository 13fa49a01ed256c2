import { PlatformError } from "../foundation/index.ts";
import { readFamilyReply } from "./family-messages.ts";
import type { MessageChannel } from "./member-link.ts";
import type { ObservedProcess, ProcessFamily } from "./process-family.ts";

/** The family as seen through a channel. */
export interface IpcProcessFamily extends ProcessFamily, Disposable {}

const answerWithinMs = 10_000;

/**
 * Steers a family that another process holds, over the channel to it.
 * @param channel The control plane's channel to its supervisor.
 */
export const openIpcProcessFamily = (channel: MessageChannel): IpcProcessFamily => {
  interface Pending {
    resolve(processes: readonly ObservedProcess[]): void;
    reject(error: Error): void;
  }
  const pending = new Map<number, Pending>();
  const listeners = new Set<(process: ObservedProcess) => void>();
  let calls = 0;
  const settle = (call: number): Pending | undefined => {
    const waiting = pending.get(call);
    pending.delete(call);
    return waiting;
  };
  const stop = channel.onMessage((message) => {
    const reply = readFamilyReply(message);
    if (reply === null) return;
    if (reply.kind === "family.changed") for (const listener of listeners) listener(reply.process);
    else if (reply.kind === "family.done") settle(reply.call)?.resolve(reply.processes);
    else settle(reply.call)?.reject(new PlatformError("internal", reply.reason));
  });
  const ask = (question: Record<string, unknown>): Promise<readonly ObservedProcess[]> =>
    new Promise((resolve, reject) => {
      const call = ++calls;
      const timer = setTimeout(() => {
        settle(call)?.reject(
          new PlatformError("internal", `The supervisor did not answer within ${answerWithinMs} ms.`),
        );
      }, answerWithinMs);
      const done =
        <Value>(finish: (value: Value) => void) =>
        (value: Value): void => {
          clearTimeout(timer);
          finish(value);
        };
      pending.set(call, { resolve: done(resolve), reject: done(reject) });
      channel.send({ ...question, call });
    });
  return {
    apply: async (group, members) => void (await ask({ kind: "family.apply", group, members })),
    observe: (group) => ask({ kind: "family.observe", group }),
    onChange: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    signal: async (name, how) => void (await ask({ kind: "family.signal", name, how })),
    [Symbol.dispose]: () => {
      stop();
      for (const call of [...pending.keys()]) {
        settle(call)?.reject(new PlatformError("internal", "The channel to the supervisor was closed."));
      }
    },
  };
};
