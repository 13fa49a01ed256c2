import { literal } from "./grammar-text.ts";

/** A regular expression that has no counterpart in a grammar. */
export class PatternError extends Error {}

const classes: Readonly<Record<string, string>> = { d: "0-9", w: "a-zA-Z0-9_", s: " " };
const anyCharacter = String.raw`[^"\\\x7F\x00-\x1F]`;
const repetitionsMax = 1000;

/** A character inside a JSON string, where a quote and a backslash are escaped. */
const inJson = (character: string): string => JSON.stringify(character).slice(1, -1);

/** A character inside a class of GBNF. */
const inClass = (character: string): string => (/[\]\\^-]/.test(character) ? `\\${character}` : character);

/** Reads a regular expression from left to right. */
class PatternReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): string {
    const open = !this.#take("^");
    const body = this.#alternatives();
    if (this.#at < this.#text.length) throw new PatternError(`"${this.#text.slice(this.#at)}"`);
    return open ? `${anyCharacter}* (${body})` : body;
  }

  /** Whether the expression ended with `$`. */
  closed = false;

  #peek(): string {
    return this.#text[this.#at] ?? "";
  }

  #take(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #alternatives(): string {
    const parts = [this.#sequence()];
    while (this.#take("|")) parts.push(this.#sequence());
    return parts.join(" | ");
  }

  #sequence(): string {
    const parts: string[] = [];
    while (this.#peek() !== "" && this.#peek() !== "|" && this.#peek() !== ")") {
      if (this.#peek() === "$" && this.#at === this.#text.length - 1) {
        this.#at++;
        this.closed = true;
        break;
      }
      parts.push(this.#repeated(this.#atom()));
    }
    return parts.length === 0 ? '""' : parts.join(" ");
  }

  #repeated(atom: string): string {
    const found = /^(?:[*+?]|\{\d{1,4}(?:,\d{0,4})?\})/.exec(this.#text.slice(this.#at))?.[0];
    if (found === undefined) return atom;
    this.#at += found.length;
    if (this.#peek() === "?" || this.#peek() === "+") throw new PatternError("lazy and possessive repetitions");
    if ((found.match(/\d+/g) ?? []).some((count) => Number(count) > repetitionsMax)) throw new PatternError(found);
    return `(${atom})${found}`;
  }

  #group(): string {
    const body = this.#alternatives();
    if (!this.#take(")")) throw new PatternError("a group without its end");
    return `(${body})`;
  }

  #atom(): string {
    if (this.#take("(?:")) return this.#group();
    if (this.#text.startsWith("(?", this.#at)) throw new PatternError("a group that looks around");
    if (this.#take("(")) return this.#group();
    if (this.#take("[")) return this.#class();
    if (this.#take(".")) return anyCharacter;
    const character = this.#peek();
    if (/[()*+?{}^$]/.test(character)) throw new PatternError(`"${character}"`);
    this.#at++;
    return character === "\\" ? this.#escaped() : literal(inJson(character));
  }

  #escaped(): string {
    const escaped = this.#peek();
    this.#at++;
    const known = classes[escaped];
    if (known !== undefined) return `[${known}]`;
    if (/[A-Za-z0-9]/.test(escaped) && !/[nrt]/.test(escaped)) throw new PatternError(`\\${escaped}`);
    const meant = { n: "\n", r: "\r", t: "\t" }[escaped] ?? escaped;
    return literal(inJson(meant));
  }

  #class(): string {
    const negated = this.#take("^");
    let body = "";
    while (this.#peek() !== "]") {
      const character = this.#peek();
      if (character === "") throw new PatternError("a class without its end");
      this.#at++;
      if (character !== "\\") {
        body += character === "-" && body !== "" && this.#peek() !== "]" ? "-" : inClass(character);
        continue;
      }
      const escaped = this.#peek();
      this.#at++;
      const known = classes[escaped];
      if (known === undefined && /[A-Za-z0-9]/.test(escaped)) throw new PatternError(`\\${escaped}`);
      body += known ?? inClass(escaped);
    }
    this.#at++;
    if (negated) return String.raw`[^${body}"\\\x7F\x00-\x1F]`;
    if (/["\\]/.test(body.replaceAll(/\\[\]^-]/g, ""))) throw new PatternError("a class with a quote or backslash");
    return `[${body}]`;
  }
}

/**
 * The body of a rule for the inside of a JSON string that matches a regular expression: literals, classes, groups,
 * alternatives, repetitions, `^` and `$` at the ends.
 * @throws PatternError when it uses anything else.
 */
export const patternBody = (pattern: string): string => {
  const reader = new PatternReader(pattern);
  const body = reader.whole();
  return reader.closed ? body : `(${body}) ${anyCharacter}*`;
};
