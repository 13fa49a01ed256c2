import fc from "fast-check";
import { expect, test } from "vitest";
import { type AnswerPart, openToolCalls } from "./read-tool-calls.ts";
import { callMarks } from "./schema-grammar.ts";

const call = (name: string, value: unknown): string =>
  `${callMarks.begin}${name}${callMarks.middle}${JSON.stringify(value)}${callMarks.end}`;

const joined = (parts: readonly AnswerPart[]) => {
  const calls: { name: string; arguments: string }[] = [];
  let content = "";
  for (const part of parts) {
    if (part.kind === "content") content += part.text;
    else if (part.kind === "call") calls[part.index] = { name: part.name, arguments: "" };
    else (calls[part.index] as { arguments: string }).arguments += part.text;
  }
  return { content, calls };
};

test("calls come out whole, however the text is cut", () => {
  const value = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }));
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 3 }), fc.nat(7), (values, seed) => {
      const text = values.map((each, i) => call(`tool_${i}`, each)).join("\n");
      const reader = openToolCalls();
      const parts: AnswerPart[] = [];
      for (let at = 0; at < text.length;) {
        const length = 1 + ((at * 7 + seed) % 9);
        parts.push(...reader.push(text.slice(at, at + length)));
        at += length;
      }
      expect(joined(parts)).toEqual({
        content: "",
        calls: values.map((each, i) => ({ name: `tool_${i}`, arguments: JSON.stringify(each) })),
      });
    }),
  );
});

test("text that is no call stays text", () => {
  const reader = openToolCalls();
  expect(joined(["He said", " <tool_call>", " aloud"].flatMap((text) => reader.push(text)))).toEqual({
    content: "He said <tool_call> aloud",
    calls: [],
  });
});
