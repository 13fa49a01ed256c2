/** A thread that runs sessions of its own beside those of the thread that owns it; it sleeps between requests. */
import { type MessagePort, receiveMessageOnPort, workerData } from "node:worker_threads";
import type { Binding } from "../training/executor.ts";
import { type LaneFailure, type LaneRequest, word } from "./lane-protocol.ts";
import { OnnxRuntimeSession } from "./session.ts";

const { words, port } = workerData as { readonly words: Int32Array<SharedArrayBuffer>; readonly port: MessagePort };
const sessions = new Map<number, OnnxRuntimeSession>();
const bindings = new Map<number, { readonly session: number; readonly binding: Binding }>();

const handle = async (request: LaneRequest): Promise<void> => {
  switch (request.kind) {
    case "load":
      sessions.set(request.session, await OnnxRuntimeSession.load(request.model, request.options));
      return;
    case "bind": {
      const binding = sessions.get(request.session)?.bind(request.inputs, request.outputs);
      if (binding !== undefined) bindings.set(request.binding, { session: request.session, binding });
      return;
    }
    case "release":
      for (const [id, { session }] of bindings) if (session === request.session) bindings.delete(id);
      await sessions.get(request.session)?.[Symbol.asyncDispose]();
      sessions.delete(request.session);
  }
};

const answer = async (): Promise<void> => {
  for (;;) {
    const next = receiveMessageOnPort(port);
    if (next === undefined) break;
    await handle(next.message as LaneRequest);
  }
  await bindings.get(Atomics.load(words, word.binding))?.binding.run();
};

for (let seen = 0; ; seen++) {
  Atomics.wait(words, word.requested, seen);
  try {
    await answer();
  } catch (error) {
    const failure: LaneFailure = { message: error instanceof Error ? error.message : String(error) };
    port.postMessage(failure);
  }
  Atomics.add(words, word.answered, 1);
  Atomics.notify(words, word.answered);
}
