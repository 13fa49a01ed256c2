import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { migrations } from "../../packages/platform/src/storage/migrations/index.ts";

/** Number of migrations that there are. */
export const migrationCount: number = migrations.length;

/** Statements of the migrations from one on. */
export const statementsFrom = (applied: number): number =>
  migrations.slice(applied).reduce((sum, { up }) => sum + up.length, 0);

/** Makes a data directory as an older version left it: with the first migrations, and a workspace in it. */
export const makeOldStore = (folder: string, applied: number): void => {
  mkdirSync(folder, { recursive: true });
  const database = new DatabaseSync(join(folder, "modelyard.db"));
  database.exec("create table migrations (name text primary key, applied_at integer not null) strict");
  for (const { name, up } of migrations.slice(0, applied)) {
    for (const statement of up) database.exec(statement);
    database.prepare("insert into migrations (name, applied_at) values (?, 0)").run(name);
  }
  database.exec("insert into workspaces (id, name, created_at) values ('ws_old', 'kept', 1)");
  database.close();
};

/** Names of the applied migrations and of the workspaces, read from the file. */
export const readStore = (folder: string): { readonly migrations: string[]; readonly workspaces: string[] } => {
  const database = new DatabaseSync(join(folder, "modelyard.db"), { readOnly: true });
  const names = (table: string) =>
    database
      .prepare(`select name from ${table} order by name`)
      .all()
      .map(({ name }) => String(name));
  const read = { migrations: names("migrations"), workspaces: names("workspaces") };
  database.close();
  return read;
};

/** Marks a store as written by a newer version. */
export const markNewer = (folder: string): void => {
  const database = new DatabaseSync(join(folder, "modelyard.db"));
  database.exec("insert into migrations (name, applied_at) values ('9999-of-tomorrow', 0)");
  database.close();
};
