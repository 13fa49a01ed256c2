import { type ChildProcess, spawn } from "node:child_process";
import { splitLines } from "./line-splitter.ts";
import { isReadyMessage } from "./member-link.ts";
import type { ObservedProcess, ProcessExit, ProcessMember, ProcessState } from "./process-family.ts";
import { type BackoffPolicy, pauseMs } from "./restart-backoff.ts";

/** What a supervised process needs from the family that holds it. */
export interface ProcessHost {
  /** Node's binary. */
  readonly execPath: string;
  /** File that an entry runs. */
  entryFile(entry: ProcessMember["entry"]): string;
  /** Environment that every member gets. */
  readonly environment: Readonly<Record<string, string>>;
  readonly backoff: BackoffPolicy;
  nowMs(): number;
  random(): number;
  onLine(process: ObservedProcess, stream: "stdout" | "stderr", line: string): void;
  onMessage(name: string, message: unknown): void;
  onChange(process: ObservedProcess): void;
  /** Called at its last end, before the change is told: from here on it need not be known. */
  onOver(process: SupervisedProcess): void;
}

const longestLine = 16_384;

/** One member and its life: start, ready, crash, pause, start again, end. */
export class SupervisedProcess {
  readonly member: ProcessMember;
  readonly group: string;
  readonly #host: ProcessHost;
  readonly #over = Promise.withResolvers<void>();
  #child: ChildProcess | null = null;
  #state: ProcessState = "waiting";
  #restarts = -1;
  #crashes = 0;
  #startedAtMs: number | null = null;
  #readyAtMs: number | null = null;
  #exit: ProcessExit | null = null;
  #lastError: string | null = null;
  #ready: Readonly<Record<string, string>> | null = null;
  #ending = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(host: ProcessHost, group: string, member: ProcessMember) {
    this.#host = host;
    this.group = group;
    this.member = member;
    this.#start();
  }

  /** Settles when the process has ended and will not be started again. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** Whether it was asked to end. */
  get ending(): boolean {
    return this.#ending;
  }

  /** The process as it is now. */
  observed(): ObservedProcess {
    const { name, entry } = this.member;
    return {
      name,
      group: this.group,
      entry,
      state: this.#state,
      pid: this.#child?.pid ?? null,
      restarts: Math.max(0, this.#restarts),
      startedAtMs: this.#startedAtMs,
      exit: this.#exit,
      ready: this.#ready,
    };
  }

  /** Sends a message over its channel; lost when there is none. */
  send(message: unknown): void {
    if (this.#child?.connected === true) this.#child.send(message as object, () => {});
  }

  /** Asks it to end for good: SIGTERM, then SIGKILL after its grace. */
  terminate(): void {
    if (this.#ending) return;
    this.#ending = true;
    clearTimeout(this.#timer);
    const child = this.#child;
    if (this.#state === "exited") return this.#host.onOver(this);
    if (child === null) return this.#finish();
    this.#become("stopping");
    child.kill("SIGTERM");
    this.#timer = setTimeout(() => child.kill("SIGKILL"), this.member.graceMs);
  }

  /** Asks it to end like `terminate`, but lets its restart rule decide what comes after. */
  signal(how: "terminate" | "kill"): void {
    const child = this.#child;
    if (child === null) return;
    child.kill(how === "kill" ? "SIGKILL" : "SIGTERM");
    if (how === "terminate" && !this.#ending) {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => child.kill("SIGKILL"), this.member.graceMs);
    }
  }

  #start(): void {
    const host = this.#host;
    this.#restarts++;
    this.#startedAtMs = host.nowMs();
    this.#readyAtMs = null;
    this.#ready = null;
    this.#lastError = null;
    const child = spawn(host.execPath, [host.entryFile(this.member.entry)], {
      env: { ...host.environment, ...this.member.environment },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    this.#child = child;
    child.stdout?.on(
      "data",
      splitLines((line) => this.#line("stdout", line), longestLine),
    );
    child.stderr?.on(
      "data",
      splitLines((line) => this.#line("stderr", line), longestLine),
    );
    child.on("message", (message) => this.#message(message));
    child.once("error", (error) => {
      this.#lastError = error.message;
      // Without a process id nothing was started, so no `close` will follow.
      if (child.pid === undefined) this.#ended({ code: null, signal: null });
    });
    child.once("close", (code, signal) => this.#ended({ code, signal }));
    this.#become("starting");
  }

  #line(stream: "stdout" | "stderr", line: string): void {
    if (stream === "stderr") this.#lastError = line;
    this.#host.onLine(this.observed(), stream, line);
  }

  #message(message: unknown): void {
    if (!isReadyMessage(message)) return this.#host.onMessage(this.member.name, message);
    this.#ready = message.fields;
    this.#readyAtMs = this.#host.nowMs();
    if (this.#state === "starting") this.#become("ready");
  }

  #ended(exit: Pick<ProcessExit, "code" | "signal">): void {
    clearTimeout(this.#timer);
    this.#child = null;
    this.#ready = null;
    this.#exit = { ...exit, lastError: this.#lastError };
    if (this.#ending || this.member.restart === "never") return this.#finish();
    const { backoff } = this.#host;
    const proven = this.#readyAtMs !== null && this.#host.nowMs() - this.#readyAtMs >= backoff.provenMs;
    this.#crashes = proven ? 1 : this.#crashes + 1;
    this.#timer = setTimeout(() => this.#start(), pauseMs(backoff, this.#crashes, this.#host.random()));
    this.#become("waiting");
  }

  #finish(): void {
    this.#state = "exited";
    this.#host.onOver(this);
    this.#host.onChange(this.observed());
    this.#over.resolve();
  }

  #become(state: ProcessState): void {
    this.#state = state;
    this.#host.onChange(this.observed());
  }
}
