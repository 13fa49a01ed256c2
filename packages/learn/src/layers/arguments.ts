import { z } from "zod";
import { initializerNames } from "../initializers/index.ts";
import type { Initializer } from "../initializers/index.ts";

/** A length along height and width: one number for both, or one each. */
export type Pair = number | readonly [number, number];

/** A length along depth, height and width: one number for all, or one each. */
export type Triple = number | readonly [number, number, number];

/** A length along each spatial axis: one number for all, or one each. */
export type Lengths = number | readonly number[];

const length = z.int().min(1).max(65_536);

/** Accepts {@link Lengths} for a number of spatial axes. */
export const lengthsSchema = (rank: number): z.ZodType<Lengths> => z.union([length, z.array(length).length(rank)]);

/** Accepts a positive length. */
export const lengthSchema: z.ZodType<number> = z
  .int()
  .min(1)
  .max(2 ** 31 - 1);

/** How the border of an image is treated: `valid` adds nothing, `same` keeps the length up to the stride. */
export type Padding = "valid" | "same";

/** Accepts {@link Padding}. */
export const paddingSchema: z.ZodType<Padding> = z.enum(["valid", "same"]);

/** The length along each of `rank` axes. */
export const lengthsOf = (lengths: Lengths, rank: number): readonly number[] =>
  typeof lengths === "number" ? Array.from({ length: rank }, () => lengths) : lengths;

/** Accepts an initializer by name or with its arguments. */
export const initializerSchema: z.ZodType<Initializer> = z.union([
  z.enum(initializerNames),
  z.strictObject({ name: z.enum(["zeros", "ones"]) }) as z.ZodType<Initializer>,
  z.strictObject({ name: z.literal("constant"), value: z.number() }),
  z.strictObject({
    name: z.literal("random_uniform"),
    minimum: z.number().optional(),
    maximum: z.number().optional(),
  }) as z.ZodType<Initializer>,
  z.strictObject({
    name: z.enum(["random_normal", "truncated_normal"]),
    mean: z.number().optional(),
    standardDeviation: z.number().min(0).optional(),
  }) as z.ZodType<Initializer>,
  z.strictObject({ name: z.literal("identity"), gain: z.number().optional() }) as z.ZodType<Initializer>,
  z.strictObject({ name: z.literal("orthogonal"), gain: z.number().optional() }) as z.ZodType<Initializer>,
  z.strictObject({
    name: z.literal("variance_scaling"),
    scale: z.number().positive().optional(),
    mode: z.enum(["fan_in", "fan_out", "fan_avg"]).optional(),
    distribution: z.enum(["uniform", "normal", "truncated_normal"]).optional(),
  }) as z.ZodType<Initializer>,
]);
