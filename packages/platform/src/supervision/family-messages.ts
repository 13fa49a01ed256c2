import { z } from "zod";
import type { ObservedProcess, ProcessMember } from "./process-family.ts";

const Member = z.object({
  name: z.string().min(1).max(128),
  entry: z.enum(["gateway", "control-plane", "replica", "trainer"]),
  environment: z.record(z.string(), z.string()),
  restart: z.enum(["always", "never"]),
  graceMs: z.number().min(0),
});

const Observed = z.object({
  name: z.string(),
  group: z.string(),
  entry: Member.shape.entry,
  state: z.enum(["starting", "ready", "stopping", "waiting", "exited"]),
  pid: z.number().nullable(),
  restarts: z.number(),
  startedAtMs: z.number().nullable(),
  exit: z
    .object({ code: z.number().nullable(), signal: z.string().nullable(), lastError: z.string().nullable() })
    .nullable(),
  ready: z.record(z.string(), z.string()).nullable(),
});

const call = <K extends string>(kind: K) => z.object({ kind: z.literal(kind), call: z.int() });

const FamilyRequestSchema: z.ZodType<FamilyRequest> = z.discriminatedUnion("kind", [
  call("family.apply").extend({ group: z.string(), members: z.array(Member).max(10_000) }),
  call("family.observe").extend({ group: z.string() }),
  call("family.signal").extend({ name: z.string(), how: z.enum(["terminate", "kill"]) }),
]);

const FamilyReplySchema: z.ZodType<FamilyReply> = z.discriminatedUnion("kind", [
  call("family.done").extend({ processes: z.array(Observed) }),
  call("family.refused").extend({ reason: z.string() }),
  z.object({ kind: z.literal("family.changed"), process: Observed }),
]);

/** A question of the control plane to the supervisor that holds the family. */
export type FamilyRequest =
  | { kind: "family.apply"; call: number; group: string; members: ProcessMember[] }
  | { kind: "family.observe"; call: number; group: string }
  | { kind: "family.signal"; call: number; name: string; how: "terminate" | "kill" };
/** The supervisor's answer, or its news of a change. */
export type FamilyReply =
  | { kind: "family.done"; call: number; processes: ObservedProcess[] }
  | { kind: "family.refused"; call: number; reason: string }
  | { kind: "family.changed"; process: ObservedProcess };

/** Reads a message as a question; `null` when it is something else. */
export const readFamilyRequest = (message: unknown): FamilyRequest | null =>
  FamilyRequestSchema.safeParse(message).data ?? null;

/** Reads a message as an answer; `null` when it is something else. */
export const readFamilyReply = (message: unknown): FamilyReply | null =>
  FamilyReplySchema.safeParse(message).data ?? null;
