/** What of a table the audit log follows. */
interface AuditedTable {
  readonly table: string;
  /** SQL for the subject of a row; `{row}` is `new` or `old`. */
  readonly subject: string;
  /** SQL for the row's workspace. */
  readonly workspace?: string;
  /** Columns that make a change worth a record; machinery such as leases and times of use is left out. */
  readonly columns: readonly string[];
}

const audited: readonly AuditedTable[] = [
  {
    table: "workspaces",
    subject: `'workspaces/' || {row}.name`,
    workspace: "{row}.id",
    columns: ["name", "storage_bytes_max", "active_runs_max", "endpoints_max"],
  },
  { table: "members", subject: `'members/' || {row}.name`, columns: ["name", "role"] },
  {
    table: "api_keys",
    subject: `'keys/' || {row}.id`,
    columns: ["name", "prefix", "secret_hash", "scopes", "expires_at", "revoked_at", "member_id", "replaced_by"],
  },
  { table: "datasets", subject: `'datasets/' || {row}.name`, columns: ["name"] },
  {
    table: "dataset_versions",
    subject: `'datasets/' || (select name from datasets where id = {row}.dataset_id) || '/versions/' || {row}.version`,
    columns: ["version", "digest"],
  },
  { table: "runs", subject: `'runs/' || {row}.id`, columns: ["state", "reason", "request", "registered"] },
  { table: "models", subject: `'models/' || {row}.name`, columns: ["name"] },
  {
    table: "model_versions",
    subject: `'models/' || {row}.model || '/versions/' || {row}.version`,
    columns: ["version", "digest"],
  },
  {
    table: "model_aliases",
    subject: `'models/' || {row}.model || '/aliases/' || {row}.alias`,
    columns: ["alias", "version"],
  },
  { table: "endpoints", subject: `'endpoints/' || {row}.name`, columns: ["name", "model", "replicas"] },
];

const inRow = (text: string, row: "new" | "old"): string => text.replaceAll("{row}", row);

const asJson = (columns: readonly string[], row: "new" | "old"): string =>
  `json_array(${columns.map((column) => `${row}.${column}`).join(", ")})`;

const trigger = (of: AuditedTable, event: "insert" | "update" | "delete"): string => {
  const row = event === "delete" ? "old" : "new";
  const workspace = inRow(of.workspace ?? "{row}.workspace_id", row);
  const before = event === "insert" ? "null" : asJson(of.columns, "old");
  const after = event === "delete" ? "null" : asJson(of.columns, "new");
  const outcome = { insert: "created", update: "changed", delete: "deleted" }[event];
  const on = event === "update" ? `update of ${of.columns.join(", ")}` : event;
  const when = event === "update" ? `when ${before} is not ${after}` : "";
  return `create trigger audit_${of.table}_${event} after ${on} on ${of.table} ${when} begin
    insert into audit_records (workspace_id, sequence, record)
    select ${workspace}, last.sequence + 1, audit_seal(last.sequence + 1,
      (select record from audit_records where workspace_id = ${workspace} and sequence = last.sequence),
      '${outcome}', ${inRow(of.subject, row)}, ${before}, ${after})
    from (select coalesce(max(sequence), 0) as sequence from audit_records where workspace_id = ${workspace}) as last;
  end`;
};

/**
 * Statements that make the database itself write the audit log: in the transaction of every change, whoever makes it.
 * Part of a migration: tables that come later bring triggers of their own.
 */
export const auditTriggers: readonly string[] = audited.flatMap((table) =>
  (["insert", "update", "delete"] as const).map((event) => trigger(table, event)),
);
