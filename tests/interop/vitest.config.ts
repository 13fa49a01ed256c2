import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** Real clients from PyPI, in an environment of their own: `npm run test:interop`, not part of `npm test`. */
export default defineConfig({
  test: {
    name: "interop",
    root: fileURLToPath(new URL("../..", import.meta.url)),
    include: ["tests/interop/**/*.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 900_000,
  },
});
