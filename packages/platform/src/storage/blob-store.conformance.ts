import { expect, it } from "vitest";
import { digestOf, type DigestText } from "../foundation/index.ts";
import type { BlobStore } from "./blob-store.ts";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const absent: DigestText = digestOf("never stored");

async function* failing(): AsyncGenerator<Uint8Array> {
  yield bytesOf("half of ");
  throw new Error("the sender went away");
}

/** What every blob store must do. */
export const blobStoreConformance = (open: () => Promise<BlobStore>): void => {
  it("names bytes by their SHA-256 and gives back the same bytes", async () => {
    const store = await open();
    const blob = await store.put(bytesOf("abc"));
    expect(blob).toEqual({
      digest: "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
      bytes: 3,
    });
    expect(new TextDecoder().decode(await store.get(blob.digest))).toBe("abc");
    expect(await store.size(blob.digest)).toBe(3);
  });

  it("holds the same bytes once, however they came", async () => {
    const store = await open();
    const whole = await store.put(bytesOf("in parts"));
    async function* parts(): AsyncGenerator<Uint8Array> {
      yield bytesOf("in ");
      yield bytesOf("parts");
    }
    expect(await store.put(parts())).toEqual(whole);
    await store.delete(whole.digest);
    expect(await store.has(whole.digest)).toBe(false);
  });

  it("reads ranges, cut at the end", async () => {
    const store = await open();
    const { digest } = await store.put(bytesOf("0123456789"));
    expect(new TextDecoder().decode(await store.read(digest, { start: 3, end: 6 }))).toBe("345");
    expect(new TextDecoder().decode(await store.read(digest, { start: 8, end: 99 }))).toBe("89");
  });

  it("streams what was stored", async () => {
    const store = await open();
    const { digest } = await store.put(bytesOf("streamed"));
    const chunks: Buffer[] = [];
    for await (const chunk of await store.stream(digest)) chunks.push(chunk);
    expect(Buffer.concat(chunks).toString()).toBe("streamed");
  });

  it("says that a blob is absent", async () => {
    const store = await open();
    expect(await store.has(absent)).toBe(false);
    expect(await store.size(absent)).toBeNull();
    await expect(store.get(absent)).rejects.toMatchObject({ code: "not-found" });
    await expect(store.read(absent, { start: 0, end: 1 })).rejects.toMatchObject({ code: "not-found" });
    await expect(store.stream(absent)).rejects.toMatchObject({ code: "not-found" });
    await store.delete(absent);
  });

  it("lets no text but a digest name a blob", async () => {
    const store = await open();
    await expect(store.get("../../etc/passwd" as DigestText)).rejects.toMatchObject({ code: "not-found" });
    await expect(store.get("sha256:../../../x")).rejects.toMatchObject({ code: "not-found" });
  });

  it("stores nothing when the sender fails", async () => {
    const store = await open();
    await expect(store.put(failing())).rejects.toThrow("the sender went away");
    expect(await store.has(digestOf("half of "))).toBe(false);
  });
};
