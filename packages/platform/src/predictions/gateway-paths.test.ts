import { allOperations } from "@modelyard/contracts";
import { expect, test } from "vitest";
import { gatewayOperationIds, matchPath } from "./gateway-paths.ts";

test("the gateway answers every operation that the table gives it, but those of protocols that later slices speak", () => {
  const given = allOperations
    .filter(({ served, id }) => served === "gateway" && !id.startsWith("v1."))
    .map(({ id }) => id);
  expect([...gatewayOperationIds].toSorted()).toEqual(given.toSorted());
});

test.each(gatewayOperationIds)("%s is found at its own path, with its parameters", (id) => {
  const operation = allOperations.find((one) => one.id === id);
  const path = (operation?.path ?? "").replaceAll(/\{(\w+)\}/g, "a-$1.1");
  const match = matchPath(operation?.method ?? "", path);
  expect(match?.id).toBe(id);
  for (const [name, value] of Object.entries(match?.params ?? {})) expect(value).toBe(`a-${name}.1`);
  expect(matchPath(operation?.method ?? "", path)).toBe(match);
});

test.each([
  "/v2/models//infer",
  "/v2/models/a/b/infer",
  "/v2/models/a%2f..%2fb",
  "/V2",
  "/v2/",
  "//v2",
  "/v2/models/a\\b",
])("%s means nothing to the gateway", (path) => expect(matchPath("GET", path)).toBeNull());
