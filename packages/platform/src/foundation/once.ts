import type { DigestText } from "./digest.ts";

/** A client's word that the same request may come twice and must have its effect once. */
export interface Once {
  /** The client's `Idempotency-Key`. */
  readonly key: string;
  /** Digest of what is asked for: operation, parameters and body. */
  readonly request: DigestText;
}
