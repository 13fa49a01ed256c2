import { z } from "zod";
import { Digest, Nothing, pageOf, PageQuery, Timestamp } from "./names.ts";
import { operation } from "./operation.ts";

/** One change or one refused request, as the audit log keeps it for good. */
export const AuditRecord = z.object({
  /** Counts from 1 in each workspace, without gaps. */
  sequence: z.int().min(1),
  at: Timestamp,
  /** Who: the key's name and id, or `platform` for what the platform does by itself; `null` when nobody was known. */
  actor: z.object({ key: z.string().nullable(), name: z.string() }).nullable(),
  /** Operation that was asked for, e.g. `models.alias`; `platform` for what the platform does by itself. */
  operation: z.string(),
  outcome: z.enum(["created", "changed", "deleted", "denied"]),
  /** What it was done to, e.g. `models/fashion/aliases/champion`. */
  subject: z.string(),
  /** Digest of the stored row before and after; `null` where there was none. */
  before: Digest.nullable(),
  after: Digest.nullable(),
  requestId: z.string().nullable(),
  /** How many equal refusals the record stands for. */
  count: z.int().min(1),
  /** Hash of the record before; empty text at the first. */
  previous: z.string(),
  /** SHA-256 over all other fields: the chain. */
  hash: z.string(),
});
/** One change or one refused request. */
export type AuditRecord = z.infer<typeof AuditRecord>;

/** The chain's end at a moment, signed with the installation's Ed25519 key and kept outside the database. */
export const AuditCheckpoint = z.object({
  workspace: z.string(),
  sequence: z.int(),
  hash: z.string(),
  at: Timestamp,
  /** Base64 of the signature over `workspace`, `sequence`, `hash` and `at` as a JSON array. */
  signature: z.string(),
});
/** The chain's end at a moment, signed. */
export type AuditCheckpoint = z.infer<typeof AuditCheckpoint>;

/** What a log is checked against. */
export const AuditProof = z.object({
  /** Ed25519 public key of the installation, PEM. */
  publicKey: z.string(),
  items: z.array(AuditCheckpoint),
});

/** Lists audit records. */
export const listAudit = operation({
  id: "audit.list",
  method: "GET",
  path: "/api/v1/audit",
  scope: "audit:read",
  served: "control-plane",
  summary: "List the workspace's changes and refused requests, newest first",
  params: Nothing,
  query: PageQuery.extend({ operation: z.string().max(100).optional(), until: Timestamp.optional() }),
  body: { kind: "none" },
  response: { kind: "json", status: 200, schema: pageOf(AuditRecord) },
  errors: [],
});

/** Exports audit records. */
export const exportAudit = operation({
  id: "audit.export",
  method: "GET",
  path: "/api/v1/audit/export",
  scope: "audit:read",
  served: "control-plane",
  summary: "Export the workspace's audit log as JSON Lines, oldest first",
  params: Nothing,
  query: Nothing,
  body: { kind: "none" },
  response: { kind: "text", status: 200, contentType: "application/jsonl; charset=utf-8" },
  errors: [],
});

/** Shows the signed ends of the chain. */
export const auditCheckpoints = operation({
  id: "audit.checkpoints",
  method: "GET",
  path: "/api/v1/audit/checkpoints",
  scope: "audit:read",
  served: "control-plane",
  summary: "Show the signed checkpoints of the workspace's audit log and the key that proves them",
  params: Nothing,
  query: Nothing,
  body: { kind: "none" },
  response: { kind: "json", status: 200, schema: AuditProof },
  errors: [],
});
