import { describe, expect, it } from "vitest";
import { createHostGuard } from "./host-guard.ts";

const guard = createHostGuard(["models.example.com"]);

describe("hosts", () => {
  it.each([
    "127.0.0.1:8642",
    "localhost:8642",
    "LOCALHOST",
    "[::1]:8642",
    "10.1.2.3",
    "models.example.com",
    "Models.Example.com:443",
    "localhost.",
  ])("%s is taken", (host) => expect(() => guard({ host })).not.toThrow());

  it.each([
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1.evil.example:8642",
    "models.example.com.evil.example",
    "evil.example/127.0.0.1",
    "evil.example#127.0.0.1",
    "user@127.0.0.1",
    "127.0.0.1@evil.example",
    String.raw`127.0.0.1\@evil.example`,
    "",
    " ",
    "a b",
  ])("%s is refused", (host) => expect(() => guard({ host })).toThrow(/host/));

  it("a request without one is refused", () => expect(() => guard({})).toThrow(/host/));
});

describe("origins", () => {
  const host = "127.0.0.1:8642";
  it("a page of the server itself is taken", () =>
    expect(() => guard({ host, origin: "http://127.0.0.1:8642" })).not.toThrow());
  it.each(["null", "http://evil.example", "http://127.0.0.1:9999", "http://localhost:8642", "file://", "nonsense"])(
    "%s is refused",
    (origin) => expect(() => guard({ host, origin })).toThrow(/another site/),
  );
});
