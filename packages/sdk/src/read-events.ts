import { Problem } from "@modelyard/contracts";
import { EventSourceParserStream } from "eventsource-parser/stream";
import { ModelyardError, unreachable } from "./modelyard-error.ts";

/** Server-sent events of an answer, parsed. @throws ModelyardError when the server ends the stream with a failure. */
export async function* readEvents<Event>(response: Response): AsyncGenerator<Event> {
  if (response.body === null) return;
  const events = response.body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
  const reader = events.getReader();
  try {
    for (;;) {
      let next: Awaited<ReturnType<typeof reader.read>>;
      try {
        next = await reader.read();
      } catch (cause) {
        throw unreachable(new URL(response.url).origin, cause);
      }
      // OpenAI's streams end with a word that is no JSON.
      if (next.done || next.value.data === "[DONE]") return;
      const value: unknown = JSON.parse(next.value.data);
      if (next.value.event === "error") throw new ModelyardError(Problem.parse(value));
      yield value as Event;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
