import pino from "pino";
import type { Config } from "../config/index.ts";
import type { Logger } from "../foundation/index.ts";

/** The log of a process: one JSON line an entry on its output, which the supervisor gathers. */
export const processLogger = (name: string, config: Config): Logger => {
  const log = pino({
    name,
    level: config.logLevel,
    base: { process: name },
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { error: pino.stdSerializers.err },
  });
  return {
    debug: (fields, message) => log.debug(fields, message),
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => log.warn(fields, message),
    error: (fields, message) => log.error(fields, message),
  };
};
