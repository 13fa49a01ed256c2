import { open } from "node:fs/promises";
import { describeLanguageModel, readGgufHeader } from "@modelyard/learn";

const firstBytes = 1024 * 1024;

/**
 * Proves that a file's header is sound before native code maps it into memory: that code trusts counts and offsets.
 * @throws LearnError `gguf-invalid`.
 */
export const checkFile = async (file: string): Promise<void> => {
  const handle = await open(file, "r");
  try {
    const { size } = await handle.stat();
    for (let bytes = firstBytes; ; bytes *= 4) {
      const buffer = Buffer.alloc(Math.min(bytes, size));
      await handle.read(buffer, 0, buffer.length, 0);
      const header = readGgufHeader(buffer, size);
      if (header !== null) return void describeLanguageModel(header);
    }
  } finally {
    await handle.close();
  }
};
