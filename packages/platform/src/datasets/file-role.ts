import type { SplitName } from "@modelyard/contracts";

const splitWords: ReadonlyMap<string, SplitName> = new Map([
  ["train", "train"],
  ["training", "train"],
  ["validation", "validation"],
  ["valid", "validation"],
  ["val", "validation"],
  ["dev", "validation"],
  ["test", "test"],
  ["testing", "test"],
  ["t10k", "test"],
]);

/** The part of a split that a folder's name stands for, or `null`. */
export const splitOfFolder = (folder: string): SplitName | null => splitWords.get(folder.toLowerCase()) ?? null;

/** Last part of an uploaded file's name. */
export const baseNameOf = (name: string): string => name.split(/[/\\]/).at(-1) ?? name;

/** The part of a split that a file's name says it holds, e.g. `t10k-images-idx3-ubyte.gz` or `x_train.npy`. */
export const splitOfFile = (name: string): SplitName | null => {
  for (const word of baseNameOf(name)
    .toLowerCase()
    .split(/[^a-z0-9]+/)) {
    const split = splitWords.get(word);
    if (split !== undefined) return split;
  }
  return null;
};
