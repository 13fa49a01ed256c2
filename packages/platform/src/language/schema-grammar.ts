import { PlatformError } from "../foundation/index.ts";
import { characterBody, type GrammarRules, jsonLiteral, literal, openRules } from "./grammar-text.ts";
import { mergeSchemas } from "./merge-schemas.ts";
import { integerAlternatives, numberAlternatives, type NumberRange } from "./number-grammar.ts";
import { patternBody, PatternError } from "./pattern-grammar.ts";

type Schema = Readonly<Record<string, unknown>>;

const rulesMax = 4000;
const depthMax = 48;
const repetitionsMax = 1000;

const refuse = (detail: string): never => {
  throw new PlatformError(
    "prompt-invalid",
    `The JSON schema cannot be turned into a grammar: ${detail}. Leave that part out and check the answer yourself.`,
  );
};

/** Keywords that would make an answer wrong if they were passed over. */
const unsupported: readonly string[] = [
  "not",
  "if",
  "patternProperties",
  "propertyNames",
  "minProperties",
  "maxProperties",
  "contains",
  "dependentRequired",
  "dependentSchemas",
  "unevaluatedProperties",
  "unevaluatedItems",
  "$dynamicRef",
];

const isSchema = (value: unknown): value is Schema =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const space = '" "?';
const anyOf = (alternatives: readonly string[]): string =>
  alternatives.length === 1 ? (alternatives[0] ?? "") : `(${alternatives.join(" | ")})`;

const formats: Readonly<Record<string, string>> = {
  date: "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])$",
  time: String.raw`^([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,3})?(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9])$`,
  "date-time": String.raw`^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,3})?Z$`,
  uuid: "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
};

const checkKeywords = (schema: Schema): void => {
  const found = unsupported.find((keyword) => schema[keyword] !== undefined);
  if (found !== undefined) refuse(`"${found}" is not supported`);
};

/** Compiles one schema with all that it refers to. */
class SchemaCompiler {
  readonly #root: Schema;
  readonly rules: GrammarRules;
  readonly #references = new Map<string, string>();
  readonly #character: string;

  constructor(root: Schema, rules: GrammarRules) {
    this.#root = root;
    this.rules = rules;
    this.#character = rules.add(characterBody);
  }

  /** Name of the rule for any JSON value. */
  anyValue(): string {
    const known = this.#references.get("any");
    if (known !== undefined) return known;
    const rule = this.rules.reserve();
    this.#references.set("any", rule.name);
    const object = this.rules.add(this.#anyObject(rule.name));
    const array = this.rules.add(`"[" ${space} (${rule.name} ("," ${space} ${rule.name})*)? ${space} "]"`);
    rule.set([object, array, this.#string({}), this.#number({}), '"true"', '"false"', '"null"'].join(" | "));
    return rule.name;
  }

  #anyObject(value: string): string {
    const pair = this.rules.add(`${this.#string({})} ":" ${space} ${value}`);
    return `"{" ${space} (${pair} ("," ${space} ${pair})*)? ${space} "}"`;
  }

  /** Name of the rule for a schema. */
  compile(schema: unknown, depth = 0): string {
    if (depth > depthMax) return refuse("it is nested too deeply");
    if (schema === true || schema === undefined) return this.anyValue();
    if (!isSchema(schema)) return refuse("a part of it is no schema");
    checkKeywords(schema);
    if (typeof schema["$ref"] === "string") return this.#reference(schema, depth);
    if (Array.isArray(schema["allOf"])) return this.compile(this.#merged(schema, schema["allOf"]), depth + 1);
    for (const keyword of ["anyOf", "oneOf"]) {
      const parts = schema[keyword];
      if (Array.isArray(parts)) return this.#choice(schema, keyword, { parts, depth });
    }
    if (schema["const"] !== undefined) return this.rules.add(jsonLiteral(schema["const"]));
    if (Array.isArray(schema["enum"])) return this.rules.add(anyOf(schema["enum"].map(jsonLiteral)));
    return this.#typed(schema, depth);
  }

  #merged(schema: Schema, parts: readonly unknown[]): Schema {
    const { allOf: _, ...rest } = schema;
    const resolved = parts.map((part) => (isSchema(part) ? this.#resolve(part) : refuse("allOf holds no schemas")));
    return mergeSchemas([rest, ...resolved], refuse);
  }

  #choice(
    schema: Schema,
    keyword: string,
    { parts, depth }: { readonly parts: unknown[]; readonly depth: number },
  ): string {
    const { [keyword]: _, ...rest } = schema;
    const told = Object.keys(rest).filter(
      (key) => !["$defs", "definitions", "description", "title", "$schema"].includes(key),
    );
    const whole = (part: unknown): unknown =>
      told.length === 0 || !isSchema(part) ? part : mergeSchemas([rest, this.#resolve(part)], refuse);
    return this.rules.add(anyOf(parts.map((part) => this.compile(whole(part), depth + 1))));
  }

  #resolve(schema: Schema): Schema {
    let current = schema;
    for (let steps = 0; typeof current["$ref"] === "string"; steps++) {
      if (steps > depthMax) return refuse("references lead in a circle");
      current = this.#target(current["$ref"]);
    }
    return current;
  }

  #target(reference: string): Schema {
    if (!reference.startsWith("#")) return refuse(`"${reference}" lies outside of it`);
    let value: unknown = this.#root;
    for (const part of reference.split("/").slice(1)) {
      const key = decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~");
      value =
        typeof value === "object" && value !== null && Object.hasOwn(value, key) ? (value as Schema)[key] : undefined;
    }
    return isSchema(value) ? value : refuse(`"${reference}" names nothing in it`);
  }

  #reference(schema: Schema, depth: number): string {
    const reference = String(schema["$ref"]);
    const known = this.#references.get(reference);
    if (known !== undefined) return known;
    const rule = this.rules.reserve();
    this.#references.set(reference, rule.name);
    rule.set(this.compile(this.#target(reference), depth + 1));
    return rule.name;
  }

  #typed(schema: Schema, depth: number): string {
    const types = typesOf(schema);
    if (types === null) return this.anyValue();
    return this.rules.add(anyOf(types.map((type) => this.#ofType(type, schema, depth))));
  }

  #ofType(type: unknown, schema: Schema, depth: number): string {
    switch (type) {
      case "string":
        return this.#string(schema);
      case "integer":
        return this.#integer(schema);
      case "number":
        return this.#number(schema);
      case "boolean":
        return '("true" | "false")';
      case "null":
        return '"null"';
      case "array":
        return this.#array(schema, depth);
      case "object":
        return this.#object(schema, depth);
      default:
        return refuse(`the type ${JSON.stringify(type)} does not exist`);
    }
  }

  #string(schema: Schema): string {
    const pattern = schema["pattern"] ?? formats[String(schema["format"])];
    if (typeof pattern === "string") {
      try {
        return this.rules.add(String.raw`"\"" (${patternBody(pattern)}) "\""`);
      } catch (error) {
        if (error instanceof PatternError) return refuse(`the pattern ${pattern} uses ${error.message}`);
        throw error;
      }
    }
    const [least, most] = this.#counts(schema, ["minLength", "maxLength"]);
    return this.rules.add(String.raw`"\"" ${this.#character}${repetition(least, most)} "\""`);
  }

  #counts(schema: Schema, [low, high]: readonly [string, string]): [number, number | null] {
    const [least, most] = [schema[low] ?? 0, schema[high] ?? null];
    if (typeof least !== "number" || (most !== null && typeof most !== "number")) return refuse(`${low} is no number`);
    if (least > repetitionsMax) return refuse(`${low} is larger than ${repetitionsMax}`);
    if (most !== null && most < least) return refuse(`${high} is smaller than ${low}`);
    return [least, most === null || most > repetitionsMax ? null : most];
  }

  #integer(schema: Schema): string {
    const alternatives = integerAlternatives(rangeOf(schema));
    return alternatives.length === 0
      ? refuse("no whole number lies in its range")
      : this.rules.add(anyOf(alternatives));
  }

  #number(schema: Schema): string {
    const range = rangeOf(schema);
    if (range.minimum === null && range.maximum === null) {
      return this.rules.add(String.raw`"-"? ("0" | [1-9] [0-9]{0,15}) ("." [0-9]{1,16})? ([eE] [-+]? [0-9]{1,2})?`);
    }
    const alternatives = numberAlternatives(range);
    return alternatives.length === 0 ? refuse("no number lies in its range") : this.rules.add(anyOf(alternatives));
  }

  #array(schema: Schema, depth: number): string {
    if (schema["uniqueItems"] === true) return refuse('"uniqueItems" is not supported');
    const first = Array.isArray(schema["prefixItems"]) ? schema["prefixItems"] : [];
    const [least, most] = this.#counts(schema, ["minItems", "maxItems"]);
    const heads = first.slice(0, most ?? first.length).map((item) => this.compile(item, depth + 1));
    const closed = schema["items"] === false || (most !== null && most <= heads.length);
    if (heads.length > 0) return this.#tuple({ heads, least, most, closed }, schema, depth);
    if (closed) return '"[" "]"';
    const item = this.compile(schema["items"], depth + 1);
    const more = this.rules.add(`"," ${space} ${item}`);
    const some = `${item} ${more}${repetition(Math.max(0, least - 1), most === null ? null : most - 1)}`;
    return this.rules.add(`"[" ${space} ${least === 0 ? `(${some})?` : some} ${space} "]"`);
  }

  #tuple(
    { heads, least, most, closed }: { heads: string[]; least: number; most: number | null; closed: boolean },
    schema: Schema,
    depth: number,
  ): string {
    const body = heads.join(` "," ${space} `);
    if (closed) return this.rules.add(`"[" ${space} ${body} ${space} "]"`);
    const more = this.rules.add(`"," ${space} ${this.compile(schema["items"], depth + 1)}`);
    const rest = repetition(Math.max(0, least - heads.length), most === null ? null : most - heads.length);
    return this.rules.add(`"[" ${space} ${body} ${more}${rest} ${space} "]"`);
  }

  /** Named members in their order, each once; members without a name only where no names are given. */
  #object(schema: Schema, depth: number): string {
    const properties = isSchema(schema["properties"]) ? schema["properties"] : {};
    const required = new Set(Array.isArray(schema["required"]) ? (schema["required"] as unknown[]) : []);
    const names = [...new Set([...Object.keys(properties), ...[...required].map(String)])];
    if (names.length === 0) {
      if (schema["additionalProperties"] === false) return '"{" "}"';
      return this.rules.add(this.#anyObject(this.compile(schema["additionalProperties"], depth + 1)));
    }
    let [head, tail] = ['""', '""'];
    for (const name of names.toReversed()) {
      const pair = this.rules.add(`${jsonLiteral(name)} ":" ${space} ${this.compile(properties[name], depth + 1)}`);
      const must = required.has(name);
      const begun = this.rules.add(`${pair} ${tail}`);
      head = must ? begun : this.rules.add(`${begun} | ${head}`);
      tail = this.rules.add(must ? `"," ${space} ${begun}` : `"," ${space} ${begun} | ${tail}`);
    }
    return this.rules.add(`"{" ${space} ${head} ${space} "}"`);
  }
}

const typesOf = (schema: Schema): readonly unknown[] | null => {
  if (schema["type"] !== undefined)
    return Array.isArray(schema["type"]) ? (schema["type"] as unknown[]) : [schema["type"]];
  if (schema["properties"] !== undefined || schema["required"] !== undefined) return ["object"];
  if (schema["items"] !== undefined || schema["prefixItems"] !== undefined) return ["array"];
  if (schema["pattern"] !== undefined) return ["string"];
  return null;
};

const repetition = (least: number, most: number | null): string => {
  if (most !== null) return `{${least},${most}}`;
  return least === 0 ? "*" : `{${least},}`;
};

const rangeOf = (schema: Schema): NumberRange => {
  if (schema["multipleOf"] !== undefined && schema["multipleOf"] !== 1) return refuse('"multipleOf" is not supported');
  const value = (keyword: string): number | null => {
    const given = schema[keyword] ?? null;
    return given === null || typeof given === "number" ? given : refuse(`"${keyword}" is no number`);
  };
  const [low, high] = [value("minimum"), value("maximum")];
  const [aboveLow, belowHigh] = [value("exclusiveMinimum"), value("exclusiveMaximum")];
  const lowOpen = aboveLow !== null && (low === null || aboveLow >= low);
  const highOpen = belowHigh !== null && (high === null || belowHigh <= high);
  return {
    minimum: lowOpen ? aboveLow : low,
    maximum: highOpen ? belowHigh : high,
    exclusiveMinimum: lowOpen,
    exclusiveMaximum: highOpen,
  };
};

const schemaRules = (): GrammarRules => openRules(rulesMax, () => refuse(`it needs more than ${rulesMax} rules`));

/**
 * Compiles a JSON schema to a GBNF grammar whose every text is valid under the schema. Where the schema leaves a choice
 * that no reader would miss (order of members, unnamed members beside named ones, white space) one form is generated.
 * @throws PlatformError `prompt-invalid` naming what cannot be expressed.
 */
export const schemaGrammar = (schema: unknown): string => {
  if (!isSchema(schema)) return refuse("it is no object");
  const rules = schemaRules();
  return rules.render(new SchemaCompiler(schema, rules).compile(schema));
};

/** A grammar for any JSON object. */
export const jsonObjectGrammar = (): string => schemaGrammar({ type: "object" });

/** A tool as its grammar needs it. */
export interface ToolSchema {
  readonly name: string;
  readonly parameters: unknown;
}

/** What stands around a call of a tool, as models of the Hermes and Qwen families write it. */
export const callMarks = {
  begin: '<tool_call>\n{"name": "',
  middle: '", "arguments": ',
  end: "}\n</tool_call>",
} as const;

/**
 * A grammar for calls of tools.
 * @param free Whether plain text may come instead; it does not begin with `<`.
 * @param many Whether several calls may follow each other.
 */
export const toolGrammar = (
  tools: readonly ToolSchema[],
  { free, many }: { readonly free: boolean; readonly many: boolean },
): string => {
  const rules = schemaRules();
  const calls = tools.map(({ name, parameters }) => {
    const schema = isSchema(parameters) ? parameters : { type: "object" };
    const value = new SchemaCompiler(schema, rules).compile(schema);
    return rules.add(`${literal(callMarks.begin + name + callMarks.middle)} ${value} ${literal(callMarks.end)}`);
  });
  const call = rules.add(anyOf(calls));
  const all = many ? String.raw`${call} ("\n" ${call})*` : call;
  return rules.render(free ? `${all} | ${rules.add(String.raw`([^<] [^\x00]*)?`)}` : all);
};
