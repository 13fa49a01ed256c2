import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { allOperations } from "@modelyard/contracts";
import { Validator } from "@seriousme/openapi-schema-validator";
import { expect, test } from "vitest";
import { referenceFiles, referenceFolder } from "./reference.ts";

const files = referenceFiles();
const openApi = JSON.parse(files.get("openapi.json") ?? "{}") as {
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> };
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly operationId: string }>>>>;
};

test.each([...files])("docs/reference/%s is what the sources say. If not, run: npm run reference", (name, text) => {
  expect(readFileSync(join(referenceFolder, name), "utf8")).toBe(text);
});

test("docs/reference holds generated files alone", () => {
  expect(readdirSync(referenceFolder).toSorted()).toEqual([...files.keys()].toSorted());
});

test("the API's description is valid OpenAPI 3.1 and holds every operation once", async () => {
  const { valid, errors } = await new Validator().validate(openApi);
  expect(errors ?? []).toEqual([]);
  expect(valid).toBe(true);
  const described = Object.values(openApi.paths).flatMap((path) =>
    Object.values(path).map(({ operationId }) => operationId),
  );
  expect(described.toSorted()).toEqual(allOperations.map(({ id }) => id).toSorted());
});

test("named schemas are written once, and every reference to one leads somewhere", () => {
  const text = files.get("openapi.json") ?? "";
  const referred = new Set([...text.matchAll(/"\$ref": "#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name));
  const schemas = Object.keys(openApi.components.schemas);
  expect(schemas).toContain("Run");
  expect([...referred].filter((name) => !schemas.includes(name ?? ""))).toEqual([]);
  expect(schemas.filter((name) => !referred.has(name))).toEqual([]);
  expect(text).not.toContain("$defs");
});

test("a description that breaks the specification is seen", async () => {
  const { valid } = await new Validator().validate({ ...openApi, info: { title: "no version" } });
  expect(valid).toBe(false);
});
