import { defineConfig } from "vitest/config";

/** Tests of whole platforms share a machine with whatever else runs on it: one that a slow moment broke is asked again. */
const retries = 1;

/**
 * Tests are grouped by what they need, read off the file name; those of `tools/` keep the house's rules:
 * `*.test.ts` is a unit test (no I/O), `*.integration.test.ts` opens real files, databases, sockets or ONNX sessions.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["packages/*/src/**/*.test.ts"],
          exclude: ["**/*.integration.test.ts", "**/*.conformance.test.ts", "**/node_modules/**"],
          testTimeout: 10_000,
        },
      },
      {
        test: {
          name: "house",
          include: ["tools/**/*.test.ts"],
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: "integration",
          include: ["packages/*/src/**/*.integration.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "conformance",
          include: ["packages/*/src/**/*.conformance.test.ts"],
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: "e2e",
          include: ["tests/{e2e,protocol,security}/**/*.test.ts"],
          testTimeout: 180_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          retry: retries,
        },
      },
      {
        test: {
          name: "faults",
          include: ["tests/faults/**/*.test.ts"],
          testTimeout: 180_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          retry: retries,
        },
      },
    ],
  },
});
