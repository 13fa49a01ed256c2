import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  deploy,
  importTable,
  startTestPlatform,
  startTraining,
  type TestPlatform,
  train,
  until,
} from "../kit/platform.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform();
  await importTable(platform.yard, "table");
  await train(platform.yard, { dataset: "table" });
  await deploy(platform.yard, "table");
});
afterAll(() => platform[Symbol.asyncDispose]());

const pidOf = async (group: string): Promise<number> => {
  const [member] = await platform.supervisor.family.observe(group);
  if (member?.pid === undefined || member.pid === null) throw new Error(`no process in ${group}`);
  return member.pid;
};

const predict = () => platform.yard.endpoints.predict("table", { input: { a: 1, b: 1 } });

describe("a platform whose processes are killed", () => {
  it("replaces a killed replica; requests wait for the new one and succeed", async () => {
    const pid = await pidOf("replicas");
    process.kill(pid, "SIGKILL");
    const answers = await Promise.all(Array.from({ length: 20 }, predict));
    expect(answers).toHaveLength(20);
    await until(async () => (await platform.yard.endpoints.show("table")).state === "ready", 20_000);
    expect(await pidOf("replicas")).not.toBe(pid);
  });

  it("goes on predicting while the control plane is dead, says that it is, and comes back by itself", async () => {
    const pid = await pidOf("control-plane");
    process.kill(pid, "SIGSTOP");
    process.kill(pid, "SIGKILL");
    const seen = new Set<string>();
    await until(async () => {
      expect((await predict()).predictions).toHaveLength(1);
      const answer = await platform.yard.system.readyz().catch(() => null);
      if (answer !== null) seen.add(answer.controlPlane);
      return seen.has("down") || (await pidOf("control-plane").catch(() => pid)) !== pid;
    }, 10_000);
    await until(async () => {
      await predict();
      return (await platform.yard.system.readyz()).controlPlane === "up";
    }, 20_000);
    expect((await platform.yard.models.show("table")).latest).toBe(1);
    expect((await platform.yard.endpoints.show("table")).state).toBe("ready");
  });

  it("lets a training outlive the control plane and registers what it made", async () => {
    const { id } = await startTraining(platform.yard, { dataset: "table", epochs: 300 });
    // A run is claimed before its process starts; a control plane that dies in between has to start it.
    await until(async () => (await platform.yard.runs.show(id)).progress !== null, 20_000);
    process.kill(await pidOf("control-plane"), "SIGKILL");
    const run = await platform.yard.runs.wait(id);
    expect(run).toMatchObject({ state: "succeeded", attempts: 1, registered: { model: "table" } });
  });

  it("takes a killed training up from its last checkpoint, to the same result as without the kill", async () => {
    const { yard } = platform;
    const { id } = await startTraining(yard, { dataset: "table", epochs: 400, seed: 5 });
    await until(async () => ((await yard.runs.show(id)).progress?.epoch ?? 0) >= 3, 20_000);
    process.kill(await pidOf("runs"), "SIGKILL");
    const killed = await yard.runs.wait(id);
    expect(killed).toMatchObject({ state: "succeeded", attempts: 2 });
    const whole = await train(yard, { dataset: "table", epochs: 400, seed: 5 });
    const graphs = await Promise.all(
      [killed, whole].map(
        async (run) => (await yard.models.version("table", run.registered?.version ?? 0)).artefact.graph,
      ),
    );
    expect(graphs[0]).toEqual(graphs[1]);
    expect(killed.evaluation).toEqual(whole.evaluation);
  });
});
