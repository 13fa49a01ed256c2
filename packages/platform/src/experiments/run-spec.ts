import type { StartRun } from "@modelyard/contracts";
import type { DigestText } from "../foundation/index.ts";

/** Everything that a training process needs to know; lies beside the run as JSON. */
export interface RunSpec {
  readonly runId: string;
  readonly request: StartRun;
  readonly dataset: { readonly reference: string; readonly digest: DigestText };
  readonly codeVersion: string;
  /** What the last resumption asked for; it holds from that checkpoint on. */
  readonly resumption?: { readonly checkpoint: string; readonly learningRate: number };
}
