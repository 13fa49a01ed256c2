import { generateKeyPairSync, sign } from "node:crypto";
import type { AuditRecord } from "@modelyard/contracts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkpointText, sealRecord, verifyAudit } from "./audit-record.ts";

const { publicKey, privateKey } = generateKeyPairSync("ed25519");
const pem = publicKey.export({ type: "spki", format: "pem" }).toString();

const chain = (length: number, salt = ""): AuditRecord[] => {
  const records: AuditRecord[] = [];
  for (let sequence = 1; sequence <= length; sequence++) {
    records.push(
      sealRecord({
        sequence,
        at: new Date(sequence * 1000).toISOString(),
        actor: { key: "key_1", name: "ci" },
        operation: "models.alias",
        outcome: "changed",
        subject: `models/m/aliases/a${salt}`,
        before: null,
        after: null,
        requestId: `r${sequence}`,
        count: 1,
        previous: records.at(-1)?.hash ?? "",
      }),
    );
  }
  return records;
};

const checkpointAt = (records: readonly AuditRecord[], sequence: number) => {
  const head = { workspace: "ws_1", sequence, hash: records[sequence - 1]?.hash ?? "", at: "2026-01-01T00:00:00.000Z" };
  return { ...head, signature: sign(null, Buffer.from(checkpointText(head)), privateKey).toString("base64") };
};

/** Seals a changed chain anew, as somebody with the database in their hands could. */
const resealed = (records: readonly AuditRecord[]): AuditRecord[] => {
  const out: AuditRecord[] = [];
  for (const { hash, ...record } of records) {
    expect(hash).not.toBe("");
    out.push(sealRecord({ ...record, sequence: out.length + 1, previous: out.at(-1)?.hash ?? "" }));
  }
  return out;
};

describe("a log that nobody touched", () => {
  it("holds, whole or from a later record on", () => {
    const records = chain(20);
    const proof = { publicKey: pem, checkpoints: [checkpointAt(records, 5), checkpointAt(records, 20)] };
    expect(verifyAudit(records, proof)).toMatchObject({ flaw: null, records: 20, head: { sequence: 20 } });
    expect(verifyAudit(records.slice(7), proof)).toMatchObject({ flaw: null, records: 13 });
  });
});

describe("any change to a log is found", () => {
  const noProof = { publicKey: pem, checkpoints: [] };
  it("an edited field, whichever it is", () => {
    fc.assert(
      fc.property(
        fc.nat(9),
        fc.constantFrom("at", "operation", "outcome", "subject", "before", "after", "requestId", "count", "previous"),
        (index, field) => {
          const records = chain(10);
          records[index] = { ...(records[index] as AuditRecord), [field]: field === "count" ? 77 : "other" };
          return verifyAudit(records, noProof).flaw?.sequence === index + 1;
        },
      ),
    );
  });

  it("a record taken out of the middle, put in, or put elsewhere", () => {
    const records = chain(10);
    const [third, fifth] = [records[2] as AuditRecord, records[4] as AuditRecord];
    expect(verifyAudit(records.toSpliced(4, 1), noProof).flaw?.problem).toMatch(/missing/);
    expect(verifyAudit(records.toSpliced(4, 0, third), noProof).flaw).not.toBeNull();
    expect(verifyAudit(records.with(2, fifth).with(4, third), noProof).flaw).not.toBeNull();
  });

  it("a chain sealed anew after an edit, a cut end, or a chain from the beginning: the signed checkpoints say so", () => {
    const records = chain(10);
    const proof = { publicKey: pem, checkpoints: [checkpointAt(records, 4), checkpointAt(records, 9)] };
    expect(verifyAudit(resealed(records.toSpliced(2, 1)), proof).flaw?.problem).toMatch(/rewritten|cut off/);
    expect(verifyAudit(records.slice(0, 8), proof).flaw?.problem).toMatch(/cut off/);
    expect(verifyAudit(chain(10, "-other"), proof).flaw?.problem).toMatch(/rewritten/);
    const fork = [...records.slice(0, 8), ...resealed(chain(10, "-fork")).slice(8)];
    expect(verifyAudit(fork, proof).flaw).not.toBeNull();
  });

  it("a checkpoint that somebody else signed", () => {
    const records = chain(3);
    const other = generateKeyPairSync("ed25519").publicKey.export({ type: "spki", format: "pem" }).toString();
    const verdict = verifyAudit(records, { publicKey: other, checkpoints: [checkpointAt(records, 3)] });
    expect(verdict.flaw?.problem).toMatch(/signature/);
  });
});
