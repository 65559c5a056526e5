import { quoted } from "../sql.js";
import { type Dictionary, type DictionaryRow, grouped } from "./dictionary.js";
import type { OracleIndex } from "./model.js";

const INDEXES = `
SELECT i.owner AS "schema", i.index_name AS "name", i.table_owner AS "table_owner", i.table_name AS "table",
       i.index_type AS "type", i.uniqueness AS "uniqueness"
  FROM {view}_indexes i
 WHERE i.owner {users} AND i.index_type <> 'LOB' AND i.index_type NOT LIKE 'IOT%' AND i.table_type = 'TABLE'
 ORDER BY i.owner, i.index_name`;

const TERMS = `
SELECT c.index_owner AS "schema", c.index_name AS "name", c.column_position AS "position", c.column_name AS "column",
       c.descend AS "descend"
  FROM {view}_ind_columns c
 WHERE c.index_owner {users}
 ORDER BY c.index_owner, c.index_name, c.column_position`;

const EXPRESSIONS = `
SELECT e.index_owner AS "schema", e.index_name AS "name", e.column_position AS "position", e.column_expression AS "expression"
  FROM {view}_ind_expressions e
 WHERE e.index_owner {users}`;

export async function readIndexes(dictionary: Dictionary): Promise<readonly OracleIndex[]> {
  const keyOf = (row: DictionaryRow) => JSON.stringify([row.schema, row.name]);
  const terms = grouped(await dictionary.read(TERMS), keyOf);
  const expressions = new Map(
    (await dictionary.read(EXPRESSIONS)).map((row) => [
      JSON.stringify([row.schema, row.name, row.position]),
      row.expression ?? "",
    ]),
  );
  return (await dictionary.read(INDEXES)).map((row) => {
    const own = terms.get(keyOf(row)) ?? [];
    const parts = own.map((term) => {
      const expression = expressions.get(JSON.stringify([term.schema, term.name, term.position]));
      const descending = term.descend === "DESC" ? " DESC" : "";
      // A descending column is an expression to Oracle, of nothing but its name.
      const column = expression === undefined ? (term.column ?? "") : /^"([^"]+)"$/.exec(expression.trim())?.[1];
      return { column, sql: `${column === undefined ? expression : quoted(column)}${descending}` };
    });
    const type = row.type ?? "";
    return {
      schema: row.schema ?? "",
      name: row.name ?? "",
      tableSchema: row.table_owner ?? "",
      table: row.table ?? "",
      unique: row.uniqueness === "UNIQUE",
      bitmap: type.includes("BITMAP"),
      unsupported: /NORMAL|BITMAP/.test(type) ? undefined : `an index of type ${type}`,
      terms: parts.map(({ sql }) => sql),
      columns: parts.every(({ column }) => column !== undefined) ? parts.map(({ column }) => column ?? "") : undefined,
    };
  });
}
