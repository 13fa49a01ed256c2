import { execFile } from "node:child_process";
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { request } from "node:http";
import { request as tlsRequest } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestPlatform, type TestPlatform, until } from "../kit/platform.ts";

const execute = promisify(execFile);

interface Asked {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
}

describe("pages and names of others", () => {
  let platform: TestPlatform;
  beforeAll(async () => {
    platform = await startTestPlatform({ MODELYARD_ALLOWED_HOSTS: "models.example.com" });
  });
  afterAll(() => platform[Symbol.asyncDispose]());

  const ask = (headers: Record<string, string>, method = "GET", path = "/api/v1/datasets"): Promise<Asked> =>
    new Promise((resolve, reject) => {
      const authorization = `Bearer ${platform.apiKey}`;
      const sent = request(platform.url + path, { method, headers: { authorization, ...headers } }, (response) => {
        response.resume();
        resolve({ status: response.statusCode ?? 0, headers: response.headers });
      });
      sent.once("error", reject).end();
    });

  it("a rebound name reaches nothing, on no path and with no method, even with a good key", async () => {
    for (const host of ["evil.example", "127.0.0.1.evil.example", `evil.example:${new URL(platform.url).port}`]) {
      for (const path of ["/api/v1/datasets", "/healthz", "/v2/models/x/infer", "/metrics"]) {
        for (const method of ["GET", "POST", "DELETE", "OPTIONS"]) {
          expect((await ask({ host }, method, path)).status).toBe(403);
        }
      }
    }
  });

  it("its own names and addresses are taken", async () => {
    for (const host of ["models.example.com", "localhost", "127.0.0.1"]) expect((await ask({ host })).status).toBe(200);
  });

  it("a page of another site reaches nothing, and no answer allows one", async () => {
    const foreign = await ask({ origin: "http://evil.example" });
    expect(foreign.status).toBe(403);
    const preflight = await ask({ origin: "http://evil.example", "access-control-request-method": "POST" }, "OPTIONS");
    expect(preflight.status).toBe(403);
    const own = await ask({ origin: platform.url });
    expect(own.status).toBe(200);
    for (const { headers } of [foreign, preflight, own]) {
      expect(Object.keys(headers).filter((name) => name.startsWith("access-control-"))).toEqual([]);
    }
  });
});

describe("TLS", () => {
  let folder: string;
  let platform: TestPlatform;
  const make = async (name: string): Promise<void> => {
    const files = ["-keyout", join(folder, `${name}.key`), "-out", join(folder, `${name}.crt`)];
    const subject = ["-subj", `/CN=${name}`, "-addext", "subjectAltName=IP:127.0.0.1"];
    await execute("openssl", [
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-nodes",
      ...files,
      ...subject,
    ]);
  };
  const use = async (name: string): Promise<void> => {
    await copyFile(join(folder, `${name}.key`), join(folder, "used.key"));
    await copyFile(join(folder, `${name}.crt`), join(folder, "used.crt"));
  };
  const port = (): number => Number(new URL(platform.url).port);
  const nameNow = (): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect({ port: port(), host: "127.0.0.1", rejectUnauthorized: false }, () => {
        resolve(String(socket.getPeerCertificate().subject.CN));
        socket.destroy();
      });
      socket.once("error", reject);
    });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "modelyard-tls-"));
    for (const name of ["first", "second"]) await make(name);
    await use("first");
    platform = await startTestPlatform({
      MODELYARD_TLS_CERTIFICATE: join(folder, "used.crt"),
      MODELYARD_TLS_KEY: join(folder, "used.key"),
    });
  });
  afterAll(async () => {
    await platform[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  it("speaks TLS from 1.2 on, and nothing in the clear", async () => {
    expect(platform.url).toMatch(/^https:/);
    expect(await nameNow()).toBe("first");
    const old = new Promise((resolve, reject) => {
      connect(
        { port: port(), host: "127.0.0.1", rejectUnauthorized: false, maxVersion: "TLSv1.1", minVersion: "TLSv1" },
        () => resolve("connected"),
      ).once("error", reject);
    });
    await expect(old).rejects.toThrow();
    await expect(fetch(platform.url.replace("https", "http"))).rejects.toThrow();
  });

  it("takes a renewed certificate without a restart, and keeps the old one where the new does not fit", async () => {
    const answers = (): Promise<number> =>
      new Promise((resolve, reject) => {
        tlsRequest(`${platform.url}/healthz`, { rejectUnauthorized: false }, (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        })
          .once("error", reject)
          .end();
      });
    await copyFile(join(folder, "second.key"), join(folder, "used.key"));
    await until(() => platform.lines.some((line) => line.includes("TLS files do not fit")), 20_000);
    expect(await nameNow()).toBe("first");
    await use("second");
    await until(async () => (await nameNow()) === "second", 20_000);
    expect(await answers()).toBe(200);
  });
});
