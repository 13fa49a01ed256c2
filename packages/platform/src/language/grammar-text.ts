/** Rules of a GBNF grammar in the making. */
export interface GrammarRules {
  /** Adds a rule and gives its name; equal bodies share one. */
  add(body: string): string;
  /** A name for a rule whose body follows later: recursion needs it. */
  reserve(): { readonly name: string; set(body: string): void };
  /** The whole grammar. */
  render(root: string): string;
}

/** A text as GBNF writes it. */
export const literal = (text: string): string =>
  `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n").replaceAll("\r", "\\r")}"`;

/** A JSON value as a literal of its text. */
export const jsonLiteral = (value: unknown): string => literal(JSON.stringify(value));

/** Collects rules. @param rulesMax More are refused by `onTooMany`. */
export const openRules = (rulesMax: number, onTooMany: () => never): GrammarRules => {
  const rules = new Map<string, string>();
  const names = new Map<string, string>();
  const next = (): string => (rules.size >= rulesMax ? onTooMany() : `r${rules.size}`);
  return {
    add: (body) => {
      const known = names.get(body);
      if (known !== undefined) return known;
      const name = next();
      rules.set(name, body);
      names.set(body, name);
      return name;
    },
    reserve: () => {
      const name = next();
      rules.set(name, "");
      return { name, set: (body) => void rules.set(name, body) };
    },
    render: (root) => [`root ::= ${root}`, ...[...rules].map(([name, body]) => `${name} ::= ${body}`)].join("\n"),
  };
};

/** Strings without anything that JSON must write as a code point. */
export const characterBody: string = String.raw`[^"\\\x7F\x00-\x1F] | "\\" ["\\/bfnrt]`;
