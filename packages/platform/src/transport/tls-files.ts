import { readFile } from "node:fs/promises";
import { unwatchFile, watchFile } from "node:fs";
import { createSecureContext } from "node:tls";
import { type Logger, PlatformError } from "../foundation/index.ts";

/** Certificate chain and private key, PEM. */
export interface TlsMaterial {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** Where they lie. */
export interface TlsFiles {
  readonly certificate: string;
  readonly key: string;
}

const lookEveryMs = 2000;

/**
 * Reads certificate and key and makes sure that they belong together.
 * @throws PlatformError `config-invalid`.
 */
export const readTlsFiles = async ({ certificate, key }: TlsFiles): Promise<TlsMaterial> => {
  try {
    const material = { cert: await readFile(certificate), key: await readFile(key) };
    createSecureContext(material);
    return material;
  } catch (cause) {
    throw new PlatformError(
      "config-invalid",
      "tlsCertificate and tlsKey do not name a PEM certificate and its private key. Check both files.",
      { cause },
    );
  }
};

/** Hands on renewed files until disposed; files that do not fit are logged and the old ones stay in use. */
export const watchTlsFiles = (
  files: TlsFiles,
  { onRenewed, logger }: { readonly onRenewed: (material: TlsMaterial) => void; readonly logger: Logger },
): Disposable => {
  const renew = (): void =>
    void readTlsFiles(files).then(
      (material) => {
        onRenewed(material);
        logger.info({}, "the TLS certificate was renewed");
      },
      (error: unknown) => logger.error({ error }, "the new TLS files do not fit; the old ones stay in use"),
    );
  const paths = [files.certificate, files.key];
  for (const path of paths) watchFile(path, { interval: lookEveryMs, persistent: false }, renew);
  return {
    [Symbol.dispose]: () => {
      for (const path of paths) unwatchFile(path, renew);
    },
  };
};
