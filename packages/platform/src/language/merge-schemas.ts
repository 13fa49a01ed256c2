type Schema = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Schema =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const list = (value: unknown): unknown[] => (Array.isArray(value) ? (value as unknown[]) : [value]);

const equal = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

const common = (a: unknown, b: unknown): unknown => {
  const other = list(b);
  const both = list(a).filter((value) => other.some((candidate) => equal(candidate, value)));
  return both.length === 1 && !Array.isArray(a) ? both[0] : both;
};

const largest = (a: unknown, b: unknown): unknown => Math.max(Number(a), Number(b));
const smallest = (a: unknown, b: unknown): unknown => Math.min(Number(a), Number(b));

/** How two values of a keyword become one that both schemas agree to; all other keywords must be equal. */
const rules: Readonly<Record<string, (a: unknown, b: unknown, refuse: (detail: string) => never) => unknown>> = {
  type: common,
  enum: common,
  required: (a, b) => [...new Set([...list(a), ...list(b)])],
  minimum: largest,
  exclusiveMinimum: largest,
  minLength: largest,
  minItems: largest,
  maximum: smallest,
  exclusiveMaximum: smallest,
  maxLength: smallest,
  maxItems: smallest,
  additionalProperties: (a, b) => (a === false || b === false ? false : (a ?? b)),
  properties: (a, b, refuse) => {
    const merged: Record<string, unknown> = { ...(a as Schema) };
    for (const [name, schema] of Object.entries(b as Schema)) {
      const own = Object.hasOwn(merged, name) ? merged[name] : undefined;
      merged[name] = isObject(own) && isObject(schema) ? mergeSchemas([own, schema], refuse) : schema;
    }
    return merged;
  },
  $defs: (a, b) => ({ ...(a as Schema), ...(b as Schema) }),
  definitions: (a, b) => ({ ...(a as Schema), ...(b as Schema) }),
  title: (a) => a,
  description: (a) => a,
};

/**
 * One schema that accepts what all of them accept.
 * @param refuse Called when two of them say different things that cannot be joined.
 */
export const mergeSchemas = (schemas: readonly Schema[], refuse: (detail: string) => never): Schema => {
  const merged: Record<string, unknown> = {};
  for (const schema of schemas) {
    for (const [keyword, value] of Object.entries(schema)) {
      const own = merged[keyword];
      if (own === undefined || equal(own, value)) merged[keyword] = value;
      else {
        const rule = rules[keyword];
        merged[keyword] =
          rule === undefined ? refuse(`"${keyword}" differs in parts that hold together`) : rule(own, value, refuse);
      }
    }
  }
  return merged;
};
