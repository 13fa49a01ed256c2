import { buildOpenApi } from "@modelyard/contracts";
import { codeVersion, type Routes } from "../foundation/index.ts";

/** Answers with the API's own description. */
export const openApiRoutes = (): Routes<"system.openapi"> => {
  const document = buildOpenApi(codeVersion);
  return { "system.openapi": async () => document };
};
