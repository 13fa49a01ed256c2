export { LearnError, type LearnErrorCode } from "./errors.ts";
export { type IdxElement, type IdxHeader, idxHeaderBytesMax, parseIdxHeader } from "./formats/idx.ts";
export { type NpyElement, type NpyHeader, npyHeaderBytes, npyHeaderBytesMax, parseNpyHeader } from "./formats/npy.ts";
export { createRandom, type Random, type RandomState } from "./random.ts";
export { findLeaks, type Leaks } from "./selection/leaks.ts";
export { groupSplit, randomSplit, type SplitShares, stratifiedSplit } from "./selection/split.ts";
export { type Pixels, resizePixels } from "./preprocessing/resize-pixels.ts";
