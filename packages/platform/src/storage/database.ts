import { closeSync, fsyncSync, openSync, renameSync, rmSync } from "node:fs";
import Sqlite from "better-sqlite3";
import { Kysely, type SqliteDatabase, SqliteDialect } from "kysely";
import { type Clock, failpoint, PlatformError, systemClock } from "../foundation/index.ts";
import { writeFailure } from "./atomic-file.ts";
import { addAuditFunctions } from "./audit-functions.ts";
import { type Migration, migrations } from "./migrations/index.ts";
import type { Schema } from "./schema.ts";

/** The metadata database, opened and migrated. */
export interface Database extends AsyncDisposable {
  readonly kysely: Kysely<Schema>;
}

/** Copies the database beside itself, whole or not at all, so that a migration can be taken back by hand. */
const keepCopy = (sqlite: Sqlite.Database, name: string): void => {
  if (sqlite.memory) return;
  const copy = `${sqlite.name}.${name}`;
  rmSync(`${copy}.tmp`, { force: true });
  sqlite.prepare("vacuum into ?").run(`${copy}.tmp`);
  const file = openSync(`${copy}.tmp`, "r+");
  fsyncSync(file);
  closeSync(file);
  renameSync(`${copy}.tmp`, copy);
  failpoint("migration.backed-up");
};

const migrate = (sqlite: Sqlite.Database, list: readonly Migration[], clock: Clock): void => {
  sqlite.exec("create table if not exists migrations (name text primary key, applied_at integer not null) strict");
  const applied = new Set(
    sqlite
      .prepare<[], { name: string }>("select name from migrations")
      .all()
      .map((r) => r.name),
  );
  const known = new Set(list.map((migration) => migration.name));
  const unknown = [...applied].filter((name) => !known.has(name));
  if (unknown.length > 0) {
    throw new PlatformError(
      "store-newer",
      `The data directory holds the migration ${unknown.join(", ")} that this version does not know. ` +
        "Start the newer Modelyard that wrote it, or restore a backup made before.",
    );
  }
  const pending = list.filter(({ name }) => !applied.has(name));
  if (pending.length > 0 && applied.size > 0) keepCopy(sqlite, `before-${pending[0]?.name ?? ""}`);
  const record = sqlite.prepare("insert into migrations (name, applied_at) values (?, ?)");
  for (const migration of pending) {
    sqlite.transaction(() => {
      for (const statement of migration.up) {
        sqlite.exec(statement);
        failpoint("migration.statement");
      }
      record.run(migration.name, clock.nowMs());
      failpoint("migration.recorded");
    })();
  }
};

/** The database with a full disk as the error that callers may see. */
const tellingWhenFull = (sqlite: Sqlite.Database): SqliteDatabase => {
  const telling = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw writeFailure(error);
    }
  };
  return {
    close: () => void sqlite.close(),
    prepare: (sql) => {
      const statement = sqlite.prepare(sql);
      return {
        reader: statement.reader,
        all: (parameters) => telling(() => statement.all(...parameters)),
        run: (parameters) => {
          // A full disk has ended the transaction already; a failing rollback would hide that reason.
          if (sql === "rollback" && !sqlite.inTransaction) return { changes: 0, lastInsertRowid: 0 };
          return telling(() => statement.run(...parameters));
        },
        iterate: (parameters) => statement.iterate(...parameters),
      };
    },
  };
};

/**
 * Opens the SQLite database of a data directory, creating and migrating it as needed.
 * Write-ahead log with `synchronous=FULL`: what is acknowledged survives a power cut.
 * @param file Path of the database, or `:memory:`.
 * Before an existing database is migrated, a copy of it is laid beside it as `<file>.before-<migration>`.
 * @param clock Tells when a migration was applied.
 * @throws PlatformError `store-newer` when a newer version wrote it.
 */
export const openDatabase = (file: string, clock: Clock = systemClock): Database => {
  const sqlite = new Sqlite(file, { timeout: 5000 });
  try {
    sqlite.pragma("journal_mode = WAL");
    sqlite.pragma("synchronous = FULL");
    sqlite.pragma("foreign_keys = ON");
    addAuditFunctions(sqlite, clock);
    migrate(sqlite, migrations, clock);
  } catch (error) {
    sqlite.close();
    throw error;
  }
  const kysely = new Kysely<Schema>({ dialect: new SqliteDialect({ database: tellingWhenFull(sqlite) }) });
  return { kysely, [Symbol.asyncDispose]: () => kysely.destroy() };
};
