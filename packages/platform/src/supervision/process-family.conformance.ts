import { describe, expect, test } from "vitest";
import { untilObserved } from "../../../../tests/kit/until-observed.ts";
import type { ObservedProcess, ProcessFamily, ProcessMember } from "./process-family.ts";

const member = (name: string, environment: Record<string, string> = {}): ProcessMember => ({
  name,
  entry: "replica",
  environment,
  restart: "always",
  graceMs: 5_000,
});

/** Waits until the group fits, by the family's own news of changes. */
const until = (
  family: ProcessFamily,
  group: string,
  fits: (members: readonly ObservedProcess[]) => boolean,
): Promise<readonly ObservedProcess[]> =>
  untilObserved({ observe: () => family.observe(group), onChange: (listener) => family.onChange(listener) }, fits);

const allReady = (count: number) => (members: readonly ObservedProcess[]) =>
  members.length === count && members.every((m) => m.state === "ready");
const alive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

/**
 * What every process family guarantees, tried with real processes that run `member.conformance.ts` for every entry.
 * @param open Opens an empty family.
 */
export const processFamilyConformance = (
  driver: string,
  open: () => Promise<{ readonly family: ProcessFamily } & AsyncDisposable>,
): void => {
  describe(`process family: ${driver}`, () => {
    test("starts what is listed, tells what it said when ready, and ends what is no longer listed", async () => {
      await using opened = await open();
      const { family } = opened;
      await family.apply("g", [member("a", { MEMBER_SAYS: "hello" }), member("b")]);
      const both = await until(family, "g", allReady(2));
      expect(both.find((m) => m.name === "a")?.ready).toMatchObject({ says: "hello" });
      await family.apply("g", [member("b")]);
      const left = await until(family, "g", (members) => members.length === 1);
      expect(left[0]).toMatchObject({ name: "b", state: "ready", restarts: 0 });
      expect(both.filter((m) => alive(m.pid ?? 0)).map((m) => m.name)).toEqual(["b"]);
    });

    test("applying the same list again changes nothing", async () => {
      await using opened = await open();
      await opened.family.apply("g", [member("a")]);
      const [before] = await until(opened.family, "g", allReady(1));
      await opened.family.apply("g", [member("a")]);
      expect(await opened.family.observe("g")).toEqual([before]);
    });

    test("groups do not touch each other", async () => {
      await using opened = await open();
      await opened.family.apply("g", [member("a")]);
      await opened.family.apply("h", [member("b")]);
      await until(opened.family, "g", allReady(1));
      await opened.family.apply("h", []);
      await until(opened.family, "h", (members) => members.length === 0);
      expect(await opened.family.observe("g")).toMatchObject([{ name: "a", state: "ready" }]);
    });

    test("a killed member that restarts always comes back under its name with another process id", async () => {
      await using opened = await open();
      await opened.family.apply("g", [member("a")]);
      const [first] = await until(opened.family, "g", allReady(1));
      await opened.family.signal("a", "kill");
      const [second] = await until(opened.family, "g", ([m]) => m?.state === "ready" && m.pid !== first?.pid);
      expect(second).toMatchObject({ restarts: 1, exit: { signal: "SIGKILL" } });
    });

    test("a member that restarts never stays observable with its exit code until it is no longer listed", async () => {
      await using opened = await open();
      const once: ProcessMember = { ...member("a", { MEMBER_MODE: "finish" }), restart: "never" };
      await opened.family.apply("g", [once]);
      const [over] = await until(opened.family, "g", ([m]) => m?.state === "exited");
      expect(over?.exit).toMatchObject({ code: 3, signal: null });
      await opened.family.apply("g", [once]);
      expect(await opened.family.observe("g")).toMatchObject([{ state: "exited", restarts: 0 }]);
      await opened.family.apply("g", []);
      expect(await opened.family.observe("g")).toEqual([]);
    });

    test("a crash loop pauses between starts and tells the last error", async () => {
      await using opened = await open();
      await opened.family.apply("g", [member("a", { MEMBER_MODE: "crash" })]);
      const [crashed] = await until(opened.family, "g", ([m]) => m?.state === "waiting" && m.restarts >= 2);
      expect(crashed?.exit).toEqual({ code: 7, signal: null, lastError: "out of luck" });
    });

    test("a member that ignores the request to end is killed after its grace", async () => {
      await using opened = await open();
      await opened.family.apply("g", [{ ...member("a", { MEMBER_MODE: "stubborn" }), graceMs: 50 }]);
      const [ready] = await until(opened.family, "g", allReady(1));
      await opened.family.apply("g", []);
      await until(opened.family, "g", (members) => members.length === 0);
      expect(alive(ready?.pid ?? 0)).toBe(false);
    });

    test("a name that is listed again while it ends starts anew after its end", async () => {
      await using opened = await open();
      await opened.family.apply("g", [member("a")]);
      const [first] = await until(opened.family, "g", allReady(1));
      await opened.family.apply("g", []);
      await opened.family.apply("g", [member("a")]);
      const [second] = await until(opened.family, "g", ([m]) => m?.state === "ready" && m.pid !== first?.pid);
      expect(second?.restarts).toBe(0);
      expect(alive(first?.pid ?? 0)).toBe(false);
    });

    test("signalling an unknown name does nothing", async () => {
      await using opened = await open();
      await opened.family.signal("nobody", "kill");
      expect(await opened.family.observe("g")).toEqual([]);
    });
  });
};
