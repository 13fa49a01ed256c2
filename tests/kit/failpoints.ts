import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { FailpointName } from "@modelyard/platform";

/** What a failpoint does: die at the nth pass, fail at the nth pass, or fail as long as it is armed. */
export type FailpointAction = `kill@${number}` | `${"EIO" | "ENOSPC" | "EMFILE"}${"" | `@${number}`}`;

/** Failpoints of a platform that was started with this folder as `MODELYARD_FAILPOINTS`. */
export class Failpoints {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  /** Environment of a platform whose processes obey. */
  get environment(): Record<string, string> {
    return { MODELYARD_FAILPOINTS: this.folder };
  }

  arm(name: FailpointName, action: FailpointAction): void {
    this.disarm(name);
    writeFileSync(join(this.folder, name), action);
  }

  /** Whether what was armed has fired. */
  hit(name: FailpointName): boolean {
    return existsSync(join(this.folder, `${name}.hit`));
  }

  disarm(name: FailpointName): void {
    for (const suffix of ["", ".hit"]) rmSync(join(this.folder, `${name}${suffix}`), { force: true });
  }
}
