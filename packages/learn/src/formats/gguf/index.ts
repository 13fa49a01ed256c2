export { describeLanguageModel, type LanguageModelFacts } from "./describe-model.ts";
export type { GgufHeader } from "./gguf.ts";
export type { LlamaShape } from "./llama-file.ts";
export { fromLlama2c, type Llama2cModel } from "./llama2c.ts";
export { type RandomLlama, randomLlama } from "./random-llama.ts";
export { ggufHeaderBytesMax, readGgufHeader } from "./read-gguf.ts";
export { type GgufToWrite, writeGguf } from "./write-gguf.ts";
