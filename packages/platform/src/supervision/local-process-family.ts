import { fileURLToPath } from "node:url";
import type { Clock } from "../foundation/index.ts";
import type { ObservedProcess, ProcessEntry, ProcessFamily, ProcessMember } from "./process-family.ts";
import { type BackoffPolicy, defaultBackoff } from "./restart-backoff.ts";
import { type ProcessHost, SupervisedProcess } from "./supervised-process.ts";

/** Where members come from and where their words go. */
export interface LocalProcessFamilyOptions {
  readonly clock: Clock;
  /** Environment that every member gets. */
  readonly environment: Readonly<Record<string, string>>;
  /** Called with every line a member writes, cut to a bounded length. */
  readonly onLine: (process: ObservedProcess, stream: "stdout" | "stderr", line: string) => void;
  /** File that an entry runs; by default the one of that name in `processes/`. */
  readonly entryFile?: (entry: ProcessEntry) => string;
  readonly backoff?: BackoffPolicy;
  /** Numbers in [0, 1) for the jitter of pauses. */
  readonly random?: () => number;
}

/** The family's driver on one machine, with what only its owner may do. */
export interface LocalProcessFamily extends ProcessFamily, AsyncDisposable {
  /** Sends a message to a member; lost when it does not run. */
  send(name: string, message: unknown): void;
  /** Listens to members' messages other than `ready`, until the returned function is called. */
  onMessage(listener: (name: string, message: unknown) => void): () => void;
  /** Ends a group's members and waits until they are gone. */
  end(group: string): Promise<void>;
}

// Beside the sources entries end in .ts, beside the built files in .js: the same as this file.
const besideProcesses = (entry: ProcessEntry): string => {
  const here = import.meta.url;
  return fileURLToPath(new URL(`../processes/${entry}${here.slice(here.lastIndexOf("."))}`, here));
};

const emitter = <Arguments extends readonly unknown[]>() => {
  const listeners = new Set<(...parts: Arguments) => void>();
  return {
    emit: (...parts: Arguments): void => {
      for (const listener of listeners) listener(...parts);
    },
    on: (listener: (...parts: Arguments) => void): (() => void) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
};

/**
 * Holds child processes of this process. Disposing ends all of them and waits until they are gone.
 */
export const openLocalProcessFamily = (options: LocalProcessFamilyOptions): LocalProcessFamily => {
  const processes = new Map<string, SupervisedProcess>();
  const changes = emitter<[ObservedProcess]>();
  const messages = emitter<[string, unknown]>();
  const host: ProcessHost = {
    execPath: process.execPath,
    entryFile: options.entryFile ?? besideProcesses,
    environment: options.environment,
    backoff: options.backoff ?? defaultBackoff,
    nowMs: () => options.clock.nowMs(),
    random: options.random ?? Math.random,
    onLine: options.onLine,
    onMessage: messages.emit,
    onChange: changes.emit,
    onOver: (over) => {
      // An end that nobody asked for stays observable until `apply` no longer lists it.
      if (over.ending) processes.delete(over.member.name);
    },
  };
  const ofGroup = (group: string): SupervisedProcess[] => [...processes.values()].filter((p) => p.group === group);
  const listed = new Map<string, ReadonlyMap<string, ProcessMember>>();
  const start = (group: string, member: ProcessMember): void => {
    const started = new SupervisedProcess(host, group, member);
    processes.set(member.name, started);
    void started.over.then(() => {
      // Listed again while it was ending: two processes never carry one name, so it starts only now.
      const again = processes.has(member.name) ? undefined : listed.get(group)?.get(member.name);
      if (again !== undefined) start(group, again);
    });
  };
  const end = async (group: string): Promise<void> => {
    listed.delete(group);
    const members = ofGroup(group);
    members.forEach((member) => member.terminate());
    await Promise.all(members.map((member) => member.over));
  };
  return {
    apply: async (group, members) => {
      const wanted = new Map(members.map((member) => [member.name, member]));
      listed.set(group, wanted);
      ofGroup(group)
        .filter((known) => !wanted.has(known.member.name))
        .forEach((known) => known.terminate());
      for (const member of members) if (!processes.has(member.name)) start(group, member);
    },
    observe: async (group) => ofGroup(group).map((known) => known.observed()),
    onChange: changes.on,
    signal: async (name, how) => processes.get(name)?.signal(how),
    send: (name, message) => processes.get(name)?.send(message),
    onMessage: messages.on,
    end,
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...new Set([...processes.values()].map((known) => known.group))].map(end));
    },
  };
};
