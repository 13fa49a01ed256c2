import { Scope, TensorSpec } from "@modelyard/contracts";
import { z } from "zod";
import type { KeyVerifier } from "../workspaces/index.ts";

/** What the gateway tells of a language model. */
export interface RoutedLanguage {
  readonly contextLength: number;
  readonly createdAtMs: number;
}

/** An endpoint and where its replicas are. */
export interface RoutedEndpoint {
  readonly workspaceId: string;
  readonly name: string;
  readonly model: string;
  /** Version that takes the traffic; `null` while none is ready. */
  readonly version: number | null;
  /** Whether replicas start that will take the traffic: requests may wait for them a little. */
  readonly starting: boolean;
  /** Aliases of the model and the versions that they name. */
  readonly labels: Readonly<Record<string, number>>;
  /** Tensors of that version. */
  readonly inputs: readonly z.infer<typeof TensorSpec>[];
  readonly outputs: readonly z.infer<typeof TensorSpec>[];
  /** Present when the version takes text, at `/v1`. */
  readonly language: RoutedLanguage | null;
  readonly replicas: readonly { readonly id: string; readonly address: string }[];
}

/** All that the gateway must know to serve without the control plane. */
export interface RoutingSnapshot {
  /** Digest of the content: the same routes have the same version. */
  readonly version: string;
  readonly keys: readonly KeyVerifier[];
  readonly endpoints: readonly RoutedEndpoint[];
}

const schema: z.ZodType<RoutingSnapshot> = z.object({
  version: z.string(),
  keys: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      prefix: z.string(),
      secretHash: z.string(),
      workspaceId: z.string(),
      workspaceName: z.string(),
      scopes: z.array(Scope),
      expiresAtMs: z.number().nullable(),
      revokedAtMs: z.number().nullable(),
    }),
  ),
  endpoints: z.array(
    z.object({
      workspaceId: z.string(),
      name: z.string(),
      model: z.string(),
      version: z.number().nullable(),
      starting: z.boolean().default(false),
      labels: z.record(z.string(), z.number()).default({}),
      inputs: z.array(TensorSpec),
      outputs: z.array(TensorSpec),
      language: z.object({ contextLength: z.number(), createdAtMs: z.number() }).nullable().default(null),
      replicas: z.array(z.object({ id: z.string(), address: z.string() })),
    }),
  ),
});

/** Reads a snapshot that came over the socket or from the gateway's file. */
export const parseRoutingSnapshot = (text: string): RoutingSnapshot => schema.parse(JSON.parse(text));
