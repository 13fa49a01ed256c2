import { createHash } from "node:crypto";
import type { AuditRecord } from "@modelyard/contracts";
import type Sqlite from "better-sqlite3";
import { type Clock, currentRequest, timestamp } from "../foundation/index.ts";
import { sealRecord } from "../workspaces/index.ts";

type Text = string | null;

const digest = (text: Text): AuditRecord["before"] =>
  text === null ? null : `sha256:${createHash("sha256").update(text).digest("hex")}`;

const platformActor = { key: null, name: "platform" };

const hashOf = (record: Text): string => (record === null ? "" : (JSON.parse(record) as AuditRecord).hash);

type Change = [sequence: number, previous: Text, outcome: string, subject: string, before: Text, after: Text];

/** Seals the record of a change, called by the triggers inside the transaction that makes the change. */
const sealChange = (clock: Clock, [sequence, previous, outcome, subject, before, after]: Change): string => {
  const request = currentRequest();
  const record = sealRecord({
    sequence,
    at: timestamp(clock.nowMs()),
    actor: request === undefined ? platformActor : request.actor,
    operation: request?.operation ?? "platform",
    // The triggers know no other words.
    outcome: outcome as AuditRecord["outcome"],
    subject,
    before: digest(before),
    after: digest(after),
    requestId: request?.requestId ?? null,
    count: 1,
    previous: hashOf(previous),
  });
  return JSON.stringify(record);
};

/** Gives a connection the function that the audit log's triggers call; without it nothing audited can be changed. */
export const addAuditFunctions = (sqlite: Sqlite.Database, clock: Clock): void => {
  sqlite.function("audit_seal", { varargs: true }, (...change: Change) => sealChange(clock, change));
};
