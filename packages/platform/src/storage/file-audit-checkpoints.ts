import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import { open, readFile } from "node:fs/promises";
import type { AuditCheckpoint } from "@modelyard/contracts";
import { type AuditCheckpointLog, checkpointText } from "../workspaces/index.ts";
import { writeFileAtomic } from "./atomic-file.ts";
import type { DataDirectory } from "./data-directory.ts";
import { readOrNull } from "./secrets.ts";

const readOrMakeKey = async (file: string): Promise<string> => {
  const known = await readOrNull(file);
  if (known !== null) return known.toString("utf8");
  const fresh = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  await writeFileAtomic(file, fresh, "audit-key");
  return fresh;
};

/** A line that a crash cut short was never acknowledged. */
const parseLine = (line: string): AuditCheckpoint[] => {
  try {
    return [JSON.parse(line) as AuditCheckpoint];
  } catch {
    return [];
  }
};

/** Opens the signed checkpoints of a data directory: JSON Lines beside the database, the key among the secrets. */
export const openFileAuditCheckpoints = async (directory: DataDirectory): Promise<AuditCheckpointLog> => {
  const key = createPrivateKey(await readOrMakeKey(directory.auditKey));
  const byWorkspace = new Map<string, AuditCheckpoint[]>();
  const remember = (checkpoint: AuditCheckpoint): void => {
    const list = byWorkspace.get(checkpoint.workspace) ?? [];
    byWorkspace.set(checkpoint.workspace, [...list, checkpoint]);
  };
  const text = (await readFile(directory.auditCheckpoints, "utf8").catch(() => "")) || "";
  for (const checkpoint of text.split("\n").flatMap(parseLine)) remember(checkpoint);
  return {
    publicKey: createPublicKey(key).export({ type: "spki", format: "pem" }).toString(),
    append: async (heads) => {
      const signed = heads.map((head) => ({
        ...head,
        signature: sign(null, Buffer.from(checkpointText(head)), key).toString("base64"),
      }));
      await using file = await open(directory.auditCheckpoints, "a", 0o600);
      // Begins a new line, in case a crash cut the last one short.
      await file.appendFile(`\n${signed.map((checkpoint) => JSON.stringify(checkpoint)).join("\n")}\n`);
      await file.sync();
      for (const checkpoint of signed) remember(checkpoint);
    },
    read: async (workspaceId) => byWorkspace.get(workspaceId) ?? [],
  };
};
