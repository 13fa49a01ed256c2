import { type FamilyReply, type FamilyRequest, readFamilyRequest } from "./family-messages.ts";
import type { ObservedProcess, ProcessFamily } from "./process-family.ts";

/** Where the family is served to. */
export interface ServeProcessFamilyOptions {
  /** Groups that the other end may steer; it never learns of others. */
  readonly groups: readonly string[];
  /** Sends to the other end. */
  readonly send: (reply: FamilyReply) => void;
}

/** Serves a family to another process. */
export interface ServedProcessFamily extends Disposable {
  /** Takes a message of the other end; others than questions are ignored. */
  receive(message: unknown): void;
}

/** Answers questions of a control plane about the groups that are its to steer, and tells it of changes. */
export const serveProcessFamily = (family: ProcessFamily, options: ServeProcessFamilyOptions): ServedProcessFamily => {
  const allowed = new Set(options.groups);
  const stop = family.onChange((process) => {
    if (allowed.has(process.group)) options.send({ kind: "family.changed", process: { ...process } });
  });
  const answer = async (request: FamilyRequest): Promise<readonly ObservedProcess[]> => {
    if (request.kind === "family.signal") {
      const members = (await Promise.all(options.groups.map((group) => family.observe(group)))).flat();
      if (members.some((member) => member.name === request.name)) await family.signal(request.name, request.how);
      return [];
    }
    if (!allowed.has(request.group)) throw new Error(`the group ${request.group} is not the control plane's to steer`);
    if (request.kind === "family.apply") {
      await family.apply(request.group, request.members);
      return [];
    }
    return family.observe(request.group);
  };
  return {
    receive: (message) => {
      const request = readFamilyRequest(message);
      if (request === null) return;
      answer(request).then(
        (processes) => options.send({ kind: "family.done", call: request.call, processes: [...processes] }),
        (error: unknown) => options.send({ kind: "family.refused", call: request.call, reason: String(error) }),
      );
    },
    [Symbol.dispose]: stop,
  };
};
