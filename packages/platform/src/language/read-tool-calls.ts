import { callMarks } from "./schema-grammar.ts";

/** A part of an answer: text, the begin of a call, or a piece of its arguments. */
export type AnswerPart =
  | { readonly kind: "content"; readonly text: string }
  | { readonly kind: "call"; readonly index: number; readonly name: string }
  | { readonly kind: "arguments"; readonly index: number; readonly text: string };

/** Takes calls of tools out of an answer as it comes. */
export interface ToolCallReader {
  push(text: string): AnswerPart[];
}

/** Follows a JSON value to its end. */
const openValue = (): ((text: string) => number | null) => {
  let depth = 0;
  let inString = false;
  let escaped = false;
  return (text) => {
    for (let at = 0; at < text.length; at++) {
      const character = text[at];
      if (inString) {
        if (escaped) escaped = false;
        else if (character === "\\") escaped = true;
        else if (character === '"') inString = false;
      } else if (character === '"') inString = true;
      else if (character === "{" || character === "[") depth++;
      else if (character === "}" || character === "]") {
        // The arguments of a call are an object; the bracket after its last one is the call's own.
        if (depth === 0) return at;
        depth--;
      }
    }
    return null;
  };
};

/** Reads an answer that the tools' grammar allows: it is calls from its first `<` on, or text alone. */
export const openToolCalls = (): ToolCallReader => {
  let state: "start" | "content" | "begin" | "name" | "arguments" | "end" = "start";
  let held = "";
  let index = -1;
  let value = openValue();
  const step = (parts: AnswerPart[]): boolean => {
    switch (state) {
      case "start":
        state = held.startsWith("<") ? "begin" : "content";
        return true;
      case "content":
        parts.push({ kind: "content", text: held });
        held = "";
        return false;
      case "begin": {
        const at = held.indexOf(callMarks.begin);
        if (at < 0) return false;
        held = held.slice(at + callMarks.begin.length);
        state = "name";
        return true;
      }
      case "name": {
        const at = held.indexOf(callMarks.middle);
        if (at < 0) return false;
        index++;
        parts.push({ kind: "call", index, name: held.slice(0, at) });
        held = held.slice(at + callMarks.middle.length);
        value = openValue();
        state = "arguments";
        return true;
      }
      case "arguments": {
        const end = value(held);
        const text = end === null ? held : held.slice(0, end);
        if (text !== "") parts.push({ kind: "arguments", index, text });
        held = held.slice(text.length);
        if (end === null) return false;
        state = "end";
        return true;
      }
      case "end":
        if (held.length < callMarks.end.length) return false;
        held = held.slice(callMarks.end.length);
        state = "begin";
        return true;
    }
  };
  return {
    push: (text) => {
      const parts: AnswerPart[] = [];
      held += text;
      for (let again = held !== ""; again; again = step(parts) && held !== "");
      return parts;
    },
  };
};
