import { type Dictionary, grouped } from "./dictionary.js";
import type { OracleConstraint } from "./model.js";

const CONSTRAINTS = `
SELECT c.owner AS "schema", c.table_name AS "table", c.constraint_name AS "name", c.constraint_type AS "kind",
       c.search_condition AS "condition", c.r_owner AS "r_owner", c.r_constraint_name AS "r_name", c.delete_rule AS "on_delete",
       c.deferrable AS "deferrable", c.deferred AS "deferred", c.status AS "status"
  FROM {view}_constraints c
 WHERE c.owner {users} AND c.constraint_type IN ('P', 'U', 'C', 'R')
 ORDER BY c.owner, c.table_name, c.constraint_name`;

const COLUMNS = `
SELECT c.owner AS "schema", c.constraint_name AS "name", c.table_name AS "table", c.column_name AS "column"
  FROM {view}_cons_columns c
 WHERE c.owner {users} AND c.position IS NOT NULL
 ORDER BY c.owner, c.constraint_name, c.position`;

const KINDS = { P: "primaryKey", U: "unique", C: "check", R: "foreignKey" } as const;

/** NOT NULL is a check to Oracle; it stands with its column already. */
const NOT_NULL = /^\s*"[^"]+"\s+IS\s+NOT\s+NULL\s*$/i;

export async function readConstraints(dictionary: Dictionary): Promise<readonly OracleConstraint[]> {
  const columns = grouped(await dictionary.read(COLUMNS), (row) => JSON.stringify([row.schema, row.name]));
  const named = (schema: string | null | undefined, name: string | null | undefined) =>
    columns.get(JSON.stringify([schema, name])) ?? [];
  return (await dictionary.read(CONSTRAINTS)).flatMap((row): OracleConstraint[] => {
    const kind = KINDS[row.kind as keyof typeof KINDS];
    const condition = row.condition ?? "";
    if (!kind || (kind === "check" && NOT_NULL.test(condition))) return [];
    const referenced = kind === "foreignKey" ? named(row.r_owner, row.r_name) : [];
    return [
      {
        schema: row.schema ?? "",
        table: row.table ?? "",
        name: row.name ?? "",
        kind,
        columns: named(row.schema, row.name).map(({ column }) => column ?? ""),
        condition,
        references:
          kind === "foreignKey"
            ? {
                schema: row.r_owner ?? "",
                table: referenced[0]?.table ?? "",
                columns: referenced.map(({ column }) => column ?? ""),
              }
            : undefined,
        onDelete: row.on_delete === "CASCADE" || row.on_delete === "SET NULL" ? row.on_delete : "",
        deferrable: row.deferrable === "DEFERRABLE",
        deferred: row.deferred === "DEFERRED",
        enabled: row.status === "ENABLED",
      },
    ];
  });
}
