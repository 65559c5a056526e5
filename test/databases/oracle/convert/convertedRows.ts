import { expect } from "vitest";
import { convertDdl } from "../../../../provider/databases/oracle/convert/convertDdl.js";
import type { PostgresServer } from "../../../support/postgres.js";

/** The rows of a query over DUAL or over the tables that `first` makes, each as the texts of its columns; in a database of its own. */
export async function convertedRows(server: PostgresServer, query: string, first = ""): Promise<unknown[][]> {
  const { support, statements, skipped } = convertDdl(`${first}\nCREATE OR REPLACE VIEW v AS ${query};`);
  expect(skipped).toEqual([]);
  const database = `converted_${Math.random().toString(36).slice(2)}`;
  await server.createDatabase(database);
  for (const sql of [...support, ...statements.flatMap((statement) => statement.sql)])
    await server.query(sql, undefined, database);
  const text =
    "SELECT (SELECT array_agg(value ORDER BY number) FROM json_each_text(to_json(v)) WITH ORDINALITY AS f(key, value, number)) FROM v";
  return (await server.query<{ array_agg: unknown[] }>(text, undefined, database)).rows.map((row) => row.array_agg);
}
