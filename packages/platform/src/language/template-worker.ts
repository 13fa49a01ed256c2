import { parentPort, workerData } from "node:worker_threads";
import { Template } from "@huggingface/jinja";

/** Renders one chat template for the sandbox; a runaway template takes this thread alone. */
const { source, outputMax } = workerData as { readonly source: string; readonly outputMax: number };

const firstLine = (error: unknown): string => (error instanceof Error ? (error.message.split("\n")[0] ?? "") : "");

let template: Template | null = null;

parentPort?.on("message", ({ id, values }: { readonly id: number; readonly values: Record<string, unknown> }) => {
  try {
    template ??= new Template(source);
    const text = template.render(values);
    if (text.length > outputMax) throw new RangeError(`its output is longer than ${outputMax} characters`);
    parentPort?.postMessage({ id, text }, []);
  } catch (error) {
    parentPort?.postMessage({ id, reason: firstLine(error) }, []);
  }
});
