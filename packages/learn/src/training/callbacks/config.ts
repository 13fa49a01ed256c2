import { z } from "zod";
import { LearnError } from "../../errors.ts";
import type { Callback } from "./callback.ts";
import { earlyStopping } from "./early-stopping.ts";
import { reduceLrOnPlateau } from "./reduce-lr-on-plateau.ts";
import { terminateOnNan } from "./terminate-on-nan.ts";

const mode = z.enum(["min", "max"]).optional();
const monitor = z.string().min(1).optional();
const epochs = z.int().min(0).optional();
const size = z.number().min(0).optional();

const schema = z.discriminatedUnion("name", [
  z.strictObject({
    name: z.literal("early_stopping"),
    monitor,
    mode,
    minDelta: size,
    patience: epochs,
    baseline: z.number().optional(),
    threshold: z.number().optional(),
    restoreBestWeights: z.boolean().optional(),
    startFromEpoch: epochs,
  }),
  z.strictObject({
    name: z.literal("reduce_lr_on_plateau"),
    monitor,
    mode,
    factor: z.number().gt(0).lt(1).optional(),
    patience: epochs,
    minDelta: size,
    cooldown: epochs,
    minLr: size,
  }),
  z.strictObject({ name: z.literal("terminate_on_nan") }),
]);

const names = schema.options.map((option) => option.shape.name.value);

const camel = (name: string): string => name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

/**
 * Makes a callback from its Keras name and arguments, which may be in snake or camel case.
 * @throws LearnError `definition-invalid` naming the argument, or the names that there are.
 */
export const makeCallback = (given: Readonly<Record<string, unknown>>): Callback => {
  const renamed = Object.entries(given).map(([key, value]) => [camel(key), value]);
  const parsed = schema.safeParse(Object.fromEntries(renamed));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new LearnError(
      "definition-invalid",
      `The callback ${JSON.stringify(given["name"])} is not known or not valid${issue ? ` at "${issue.path.join(".")}": ${issue.message}` : ""}. Known are: ${names.join(", ")}.`,
    );
  }
  const config = parsed.data;
  switch (config.name) {
    case "early_stopping":
      return earlyStopping(config);
    case "reduce_lr_on_plateau":
      return reduceLrOnPlateau(config);
    case "terminate_on_nan":
      return terminateOnNan();
  }
};
