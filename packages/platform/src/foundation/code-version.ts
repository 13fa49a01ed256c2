import { readFileSync } from "node:fs";

interface Package {
  readonly version: string;
}

/** Version of this Modelyard. */
export const codeVersion: string = (
  JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as Package
).version;
