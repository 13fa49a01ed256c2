import protobuf from "protobufjs/light.js";

/** UTF-8 bytes of a text; the platform-neutral library carries no TextEncoder. */
export const utf8Bytes = (text: string): Uint8Array => {
  const bytes = new Uint8Array(protobuf.util.utf8.length(text));
  protobuf.util.utf8.write(text, bytes, 0);
  return bytes;
};

/** Text of UTF-8 bytes. */
export const utf8Text = (bytes: Uint8Array): string => protobuf.util.utf8.read(bytes, 0, bytes.length);
