import { unzipSync } from "fflate";
import { utf8Text } from "../onnx/text.ts";
import { invalidKeras } from "./invalid.ts";

/** A model's configuration is text; more than this is an attack. */
const configBytesMax = 64 * 2 ** 20;

/** What a `.keras` file holds. */
export interface KerasArchive {
  readonly config: string;
  /** HDF5. */
  readonly weights: Uint8Array | undefined;
}

const checkName = (name: string): void => {
  const parts = name.split(/[/\\]/);
  if (!parts.includes("..") && !name.startsWith("/") && !name.includes("\\") && !name.includes(":")) return;
  throw invalidKeras(`its archive holds the file ${JSON.stringify(name)}, whose path leaves the archive`);
};

/** Takes configuration and weights out of a `.keras` file; larger parts than the limits are refused unread. */
export const readArchive = (bytes: Uint8Array, bytesMax: number): KerasArchive => {
  const limits: Readonly<Record<string, number>> = { "config.json": configBytesMax, "model.weights.h5": bytesMax };
  let files: Record<string, Uint8Array>;
  try {
    files = unzipSync(bytes, {
      filter: ({ name, originalSize }) => {
        checkName(name);
        const limit = limits[name];
        if (limit === undefined) return false;
        if (originalSize <= limit) return true;
        throw invalidKeras(`its part ${name} unpacks to ${originalSize} bytes, but ${limit} are the limit`);
      },
    });
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "keras-invalid") throw cause;
    throw invalidKeras("it is not a whole zip archive", { cause });
  }
  const config = files["config.json"];
  if (config === undefined) throw invalidKeras("its archive holds no config.json");
  return { config: utf8Text(config), weights: files["model.weights.h5"] };
};
