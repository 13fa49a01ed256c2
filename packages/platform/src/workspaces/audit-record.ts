import { createHash, createPublicKey, verify } from "node:crypto";
import type { AuditCheckpoint, AuditRecord } from "@modelyard/contracts";

/** A record before it is sealed into the chain. */
export type UnsealedRecord = Omit<AuditRecord, "hash">;

/** The text that is hashed and signed: fields in a fixed order, so that equal records have equal text. */
const canonical = (record: UnsealedRecord): string =>
  JSON.stringify([
    record.sequence,
    record.at,
    record.actor === null ? null : [record.actor.key, record.actor.name],
    record.operation,
    record.outcome,
    record.subject,
    record.before,
    record.after,
    record.requestId,
    record.count,
    record.previous,
  ]);

/** Seals a record: its hash covers all other fields, the hash of the record before among them. */
export const sealRecord = (record: UnsealedRecord): AuditRecord => ({
  ...record,
  hash: createHash("sha256").update(canonical(record)).digest("hex"),
});

/** The text that a checkpoint's signature covers. */
export const checkpointText = ({ workspace, sequence, hash, at }: Omit<AuditCheckpoint, "signature">): string =>
  JSON.stringify([workspace, sequence, hash, at]);

/** What is wrong with a log, at which record. */
export interface AuditFlaw {
  readonly sequence: number;
  readonly problem: string;
}

/** The outcome of a check. */
export interface AuditVerdict {
  readonly records: number;
  readonly checkpoints: number;
  /** Sequence and hash of the last record that holds. */
  readonly head: { readonly sequence: number; readonly hash: string } | null;
  readonly flaw: AuditFlaw | null;
}

const flawOf = (record: AuditRecord, before: AuditRecord | undefined): string | null => {
  const { hash, ...rest } = record;
  if (sealRecord(rest).hash !== hash) return "it was changed after it was written";
  if (before === undefined)
    return record.sequence === 1 && record.previous !== "" ? "the first record names one before it" : null;
  if (record.sequence !== before.sequence + 1)
    return `records ${before.sequence + 1} to ${record.sequence - 1} are missing`;
  return record.previous === before.hash ? null : "it does not follow the record before it";
};

const checkpointFlaw = (
  checkpoint: AuditCheckpoint,
  {
    hashes,
    last,
    publicKey,
  }: { readonly hashes: ReadonlyMap<number, string>; readonly last: number; readonly publicKey: string },
): string | null => {
  const signed = verify(
    null,
    Buffer.from(checkpointText(checkpoint)),
    createPublicKey(publicKey),
    Buffer.from(checkpoint.signature, "base64"),
  );
  if (!signed) return "a checkpoint's signature is not the installation's";
  if (checkpoint.sequence > last)
    return `the log ends at ${last}, but a checkpoint saw ${checkpoint.sequence}: its end was cut off`;
  const hash = hashes.get(checkpoint.sequence);
  return hash === undefined || hash === checkpoint.hash
    ? null
    : "it is not the record that a checkpoint saw: the log was rewritten";
};

/**
 * Checks a log from its records alone, and against signed checkpoints, which also show a cut end or a rewritten chain.
 * @param records Oldest first; the first may be a later one than number 1 when older ones reached the end of their retention.
 */
export const verifyAudit = (
  records: Iterable<AuditRecord>,
  proof: { readonly publicKey: string; readonly checkpoints: readonly AuditCheckpoint[] },
): AuditVerdict => {
  let before: AuditRecord | undefined;
  let count = 0;
  const hashes = new Map<number, string>();
  const wanted = new Set(proof.checkpoints.map(({ sequence }) => sequence));
  const verdict = (flaw: AuditFlaw | null): AuditVerdict => ({
    records: count,
    checkpoints: proof.checkpoints.length,
    head: before === undefined ? null : { sequence: before.sequence, hash: before.hash },
    flaw,
  });
  for (const record of records) {
    const problem = flawOf(record, before);
    if (problem !== null) return verdict({ sequence: record.sequence, problem });
    if (wanted.has(record.sequence)) hashes.set(record.sequence, record.hash);
    before = record;
    count += 1;
  }
  for (const checkpoint of proof.checkpoints) {
    const problem = checkpointFlaw(checkpoint, { hashes, last: before?.sequence ?? 0, publicKey: proof.publicKey });
    if (problem !== null) return verdict({ sequence: checkpoint.sequence, problem });
  }
  return verdict(null);
};
