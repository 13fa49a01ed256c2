/** Proves the registry's signatures, the allow-list of install scripts, and writes the bill of materials. Run: npm run supply-chain */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./source-files.ts";

interface LockedPackage {
  readonly hasInstallScript?: boolean;
}

/** Names of the locked packages that want to run a script when they are installed. */
const packagesWithScripts = (): string[] => {
  const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as {
    readonly packages: Readonly<Record<string, LockedPackage>>;
  };
  return Object.entries(packages)
    .filter(([, { hasInstallScript }]) => hasInstallScript === true)
    .map(([path]) => path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length))
    .toSorted();
};

const { allowScripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  readonly allowScripts: Readonly<Record<string, boolean>>;
};
const unjudged = packagesWithScripts().filter((name) => !Object.hasOwn(allowScripts, name));
if (unjudged.length > 0) {
  console.error(`✗ install scripts: allowScripts of package.json does not name ${unjudged.join(", ")}`);
  process.exit(1);
}
console.log(`✓ install scripts: each of ${packagesWithScripts().join(", ")} is allowed or refused by name`);

const sbom = spawnSync("npm", ["sbom", "--sbom-format", "cyclonedx", "--omit", "dev"], { cwd: root, encoding: "utf8" });
if (sbom.status !== 0) {
  console.error(`✗ bill of materials: ${sbom.stderr}`);
  process.exit(1);
}
const { components } = JSON.parse(sbom.stdout) as { readonly components: readonly unknown[] };
mkdirSync(join(root, ".pack"), { recursive: true });
writeFileSync(join(root, ".pack/sbom.cdx.json"), sbom.stdout);
console.log(`✓ bill of materials: ${components.length} components in .pack/sbom.cdx.json`);

const audit = spawnSync("npm", ["audit", "signatures"], { cwd: root, encoding: "utf8" });
console.log(
  audit.status === 0
    ? `✓ signatures: ${audit.stdout.trim().split("\n")[0] ?? ""}`
    : `✗ signatures: ${audit.stderr || audit.stdout}`,
);
process.exitCode = audit.status === 0 ? 0 : 1;
