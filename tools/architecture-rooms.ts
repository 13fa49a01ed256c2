import type { Module } from "./modules.ts";

/** A rule of the house: its name, and a search for what breaks it. */
export interface Rule {
  readonly name: string;
  /** One sentence for each breach, with the file's path; empty when the rule holds. */
  readonly breaches: (modules: readonly Module[]) => string[];
}

/** The slices of the platform, in the order of a model's life. */
export const slices: readonly string[] = [
  "workspaces",
  "datasets",
  "experiments",
  "models",
  "deployments",
  "predictions",
  "language",
];

/** The package a path lies in, or `null` outside `packages/<name>/src`. */
export const packageOf = (path: string): string | null => /^packages\/([\w-]+)\/src\//.exec(path)?.[1] ?? null;

/** The platform's room (first folder) that a path lies in, or `null`. */
export const roomOf = (path: string): string | null => /^packages\/platform\/src\/([\w-]+)\//.exec(path)?.[1] ?? null;

/** Name of a file without folders and `.ts`. */
export const stemOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1).replace(/\.ts$/, "");
