import { LearnError } from "../errors.ts";

/** The error for a Keras file that cannot be imported, with its cause in words. */
export const invalidKeras = (cause: string, options?: ErrorOptions): LearnError =>
  new LearnError(
    "keras-invalid",
    `The Keras file cannot be imported: ${cause}. Save the model again, as .keras or .h5, with layers of Keras alone.`,
    options,
  );
