import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { systemClock } from "../foundation/index.ts";
import { openIpcProcessFamily } from "./ipc-process-family.ts";
import { openLocalProcessFamily } from "./local-process-family.ts";
import type { MessageChannel } from "./member-link.ts";
import { processFamilyConformance } from "./process-family.conformance.ts";

const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const openLocal = (onLine: (line: string) => void = () => {}) =>
  openLocalProcessFamily({
    clock: systemClock,
    environment: {},
    onLine: (_, stream, line) => onLine(`${stream}: ${line}`),
    entryFile: () => file("./member.conformance.ts"),
  });

processFamilyConformance("local", async () => {
  const family = openLocal();
  return { family, [Symbol.asyncDispose]: () => family[Symbol.asyncDispose]() };
});

const channelTo = (child: ChildProcess): MessageChannel => ({
  send: (message) => void child.send(message as object, () => {}),
  onMessage: (listener) => {
    child.on("message", listener);
    return () => void child.off("message", listener);
  },
});

const openServed = async () => {
  const child = fork(file("./family-server.conformance.ts"), { execArgv: [] });
  const exited = once(child, "exit");
  await once(child, "message");
  const family = openIpcProcessFamily(channelTo(child));
  const end = async (how: "SIGTERM" | "SIGKILL"): Promise<void> => {
    child.kill(how);
    await exited;
  };
  return {
    family,
    end,
    [Symbol.asyncDispose]: async () => {
      family[Symbol.dispose]();
      if (child.exitCode === null && child.signalCode === null) await end("SIGTERM");
    },
  };
};

processFamilyConformance("over a channel", openServed);

const gone = async (pid: number): Promise<void> => {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await new Promise((resolve) => void setImmediate(resolve));
  }
};

test("members end themselves when their supervisor is killed: no orphan stays", async () => {
  await using served = await openServed();
  const ready = Promise.withResolvers<number>();
  served.family.onChange((process) => process.state === "ready" && ready.resolve(process.pid ?? 0));
  await served.family.apply("g", [{ name: "a", entry: "replica", environment: {}, restart: "always", graceMs: 1_000 }]);
  const pid = await ready.promise;
  await served.end("SIGKILL");
  await gone(pid);
});

test("the control plane cannot steer groups that are not its own", async () => {
  await using served = await openServed();
  await expect(served.family.apply("core", [])).rejects.toThrow(/core/);
});

test("what members write reaches the parent line by line", async () => {
  const lines: string[] = [];
  const said = Promise.withResolvers<void>();
  await using family = openLocal((line) => {
    lines.push(line);
    said.resolve();
  });
  await family.apply("g", [
    { name: "a", entry: "replica", environment: { MEMBER_SAYS: "hi" }, restart: "never", graceMs: 1_000 },
  ]);
  await said.promise;
  expect(lines).toEqual(["stdout: says hi"]);
});
