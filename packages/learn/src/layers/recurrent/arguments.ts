import { z } from "zod";
import { activationSchema } from "../activation-config.ts";
import type { Activation } from "../activation-config.ts";
import { initializerSchema, lengthSchema } from "../arguments.ts";
import type { Initializer } from "../../initializers/index.ts";

/** What all recurrent layers take. */
export interface RecurrentArguments {
  readonly units: number;
  readonly activation: Activation;
  readonly useBias: boolean;
  readonly kernelInitializer: Initializer;
  readonly recurrentInitializer: Initializer;
  readonly biasInitializer: Initializer;
  /** Share of the input's features zeroed in training, the same at all steps. */
  readonly dropout: number;
  /** Share of the state's elements zeroed in training before they are multiplied, the same at all steps. */
  readonly recurrentDropout: number;
  readonly returnSequences: boolean;
  readonly returnState: boolean;
  readonly goBackwards: boolean;
  /** Whether steps that the mask leaves out give zeros instead of the result before them. */
  readonly zeroOutputForMask: boolean;
}

/** Arguments of recurrent layers with gates. */
export interface GatedArguments extends RecurrentArguments {
  readonly recurrentActivation: Activation;
}

/** A schema for each argument. */
type Fields<Arguments> = { readonly [Name in keyof Arguments]: z.ZodType<Arguments[Name]> };

const rate = z.number().min(0).lt(1).default(0);

/** Fields of {@link RecurrentArguments}. */
export const recurrentFields: Fields<RecurrentArguments> = {
  units: lengthSchema,
  activation: activationSchema.default("tanh"),
  useBias: z.boolean().default(true),
  kernelInitializer: initializerSchema.default("glorot_uniform"),
  recurrentInitializer: initializerSchema.default("orthogonal"),
  biasInitializer: initializerSchema.default("zeros"),
  dropout: rate,
  recurrentDropout: rate,
  returnSequences: z.boolean().default(false),
  returnState: z.boolean().default(false),
  goBackwards: z.boolean().default(false),
  zeroOutputForMask: z.boolean().default(false),
};

/** Fields of {@link GatedArguments}. */
export const gatedFields: Fields<GatedArguments> = {
  ...recurrentFields,
  recurrentActivation: activationSchema.default("sigmoid"),
};
