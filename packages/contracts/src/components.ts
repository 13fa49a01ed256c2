import { z } from "zod";
import * as artefact from "./artefact.ts";
import * as audit from "./audit.ts";
import * as datasets from "./datasets.ts";
import * as definition from "./definition.ts";
import * as deployments from "./deployments.ts";
import * as evaluation from "./evaluation.ts";
import * as experiments from "./experiments.ts";
import * as language from "./language.ts";
import * as modelRepository from "./model-repository.ts";
import * as models from "./models.ts";
import * as openInference from "./open-inference.ts";
import * as predictions from "./predictions.ts";
import * as preprocessing from "./preprocessing.ts";
import * as problem from "./problem.ts";
import * as scopes from "./scopes.ts";
import * as tensorflowServing from "./tensorflow-serving.ts";
import * as workspaces from "./workspaces.ts";

/** JSON as an object. */
export type Json = Record<string, unknown>;

const modules: readonly Readonly<Record<string, unknown>>[] = [
  artefact,
  audit,
  datasets,
  definition,
  deployments,
  evaluation,
  experiments,
  language,
  modelRepository,
  models,
  openInference,
  predictions,
  preprocessing,
  problem,
  scopes,
  tensorflowServing,
  workspaces,
];

/** Exported schemas by the name of their export; others are described where they stand. */
const named = z.registry<{ id: string }>();
const schemasByName = new Map<string, z.ZodType>();
for (const [name, value] of modules.flatMap((module) => Object.entries(module))) {
  if (value instanceof z.ZodType && !schemasByName.has(name)) {
    named.add(value, { id: name });
    schemasByName.set(name, value);
  }
}

/** Whether a schema is read (what a client sends) or written (what it gets). */
type Direction = "input" | "output";

const convert = (schema: z.ZodType, io: Direction): Json => {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io, unrepresentable: "any", metadata: named });
  // An answer may gain fields; a client that refuses them would break.
  return io === "output"
    ? (JSON.parse(JSON.stringify(json).replaceAll(',"additionalProperties":false', "")) as Json)
    : json;
};

const differing = new Map<string, boolean>();

/** Whether what is sent may look different from what comes back, by defaults for example. */
const differs = (name: string, schema: z.ZodType): boolean => {
  const known = differing.get(name);
  if (known !== undefined) return known;
  const written = JSON.stringify(convert(schema, "output"));
  const read = JSON.stringify(convert(schema, "input")).replaceAll(',"additionalProperties":false', "");
  differing.set(name, written !== read);
  return written !== read;
};

const componentName = (name: string, io: Direction): string => {
  const schema = schemasByName.get(name);
  if (io === "output" || schema === undefined || !differs(name, schema)) return name;
  const sent = `${name}Input`;
  return schemasByName.has(sent) ? `${name}AsInput` : sent;
};

/** Gathers the named schemas of a description, so that each is written once. */
export class Components {
  readonly #found = new Map<string, Json>();

  /** A schema as JSON Schema; named parts of it are references to {@link all}. */
  of(schema: z.ZodType, io: Direction): Json {
    const { $defs = {}, ...root } = convert(schema, io) as { readonly $defs?: Readonly<Record<string, Json>> };
    for (const [name, part] of Object.entries($defs)) {
      this.#found.set(componentName(name, io), this.#withReferences(part, io));
    }
    return this.#withReferences(root, io);
  }

  /** Every named schema that was referred to, by name. */
  all(): Json {
    return Object.fromEntries([...this.#found].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }

  #withReferences(json: Json, io: Direction): Json {
    const text = JSON.stringify(json).replaceAll(
      /"#\/\$defs\/(\w+)"/g,
      (_, name: string) => `"#/components/schemas/${componentName(name, io)}"`,
    );
    return JSON.parse(text) as Json;
  }
}
