import { z } from "zod";

/**
 * A model definition as it crosses the wire: layers as data.
 * Only the frame is checked here; each layer's own arguments are checked by the learning engine, which names them.
 */
const Layer = z.looseObject({ layer: z.string().min(1).max(64), name: z.string().max(128).optional() });

/** A declarative, Keras-like model definition. */
export const ModelDefinition = z.discriminatedUnion("kind", [
  z.looseObject({
    kind: z.literal("sequential"),
    name: z.string().max(128).optional(),
    layers: z.array(Layer).min(1).max(2000),
  }),
  z.looseObject({
    kind: z.literal("functional"),
    name: z.string().max(128).optional(),
    layers: z.array(Layer).min(1).max(2000),
  }),
]);
/** A declarative, Keras-like model definition. */
export type ModelDefinition = z.infer<typeof ModelDefinition>;
