import { readColumns } from "../../provider/databases/oracle/catalog/columns.js";
import { openDictionary } from "../../provider/databases/oracle/catalog/dictionary.js";
import { naturalName } from "../../provider/databases/oracle/catalog/naturalName.js";
import { columnText } from "../../provider/databases/oracle/columnText.js";
import type { OracleConnection, OracleValue } from "../../provider/databases/oracle/driver.js";
import { quoted } from "../../provider/databases/oracle/sql.js";
import { withConnection } from "../../provider/databases/postgres/connection.js";
import { ident, qualified } from "../../provider/databases/postgres/sql.js";
import type { TaskEndpoint } from "../../provider/engine/models/endpoint.js";

export interface Compared {
  readonly table: string;
  readonly rows: number;
  /** Rows that only one side has, `-` the source's and `+` the target's. */
  readonly differences: readonly string[];
}

/**
 * Compares whole tables: the source's rows are put into a temporary table of the target's own types, where `EXCEPT ALL` shows what only one side has.
 * For tables of a size that a test has.
 */
export async function compareSides(
  connection: OracleConnection,
  target: TaskEndpoint,
  schema: string,
  tables: readonly string[],
): Promise<readonly Compared[]> {
  const columns = (await readColumns(await openDictionary(connection))).filter((row) => row.schema === schema);
  return withConnection(target, { applicationName: "godwit/accept" }, async (client) => {
    const results: Compared[] = [];
    for (const table of tables) {
      const own = columns
        .filter((row) => row.table === table && !row.column.virtual && !row.column.hidden)
        .map(({ column }) => column);
      const there = { schema: naturalName(schema), name: naturalName(table) };
      const names = own.map(({ name }) => ident(naturalName(name))).join(", ");
      try {
        await client.query("BEGIN");
        await client.query(`CREATE TEMP TABLE accepted ON COMMIT DROP AS SELECT ${names} FROM ${qualified(there)} WITH NO DATA`);
        const list = own.map((column) => columnText(column)).join(", ");
        let rows = 0;
        for await (const batch of connection.stream(
          `SELECT ${list} FROM ${quoted(schema)}.${quoted(table)}`,
          {},
          { batchRows: 200 },
        )) {
          for (const row of batch) {
            rows++;
            await client.query(
              `INSERT INTO accepted VALUES (${own.map((_, index) => `$${index + 1}`).join(", ")})`,
              row.map(value),
            );
          }
        }
        const difference = async (from: string, other: string) =>
          (
            await client.query<{ row: string }>(
              `SELECT ROW(${names})::text AS row FROM ${from} EXCEPT ALL SELECT ROW(${names})::text FROM ${other} LIMIT 5`,
            )
          ).rows.map(({ row }) => row.slice(0, 200));
        results.push({
          table,
          rows,
          differences: [
            ...(await difference("accepted", qualified(there))).map((row) => `- ${row}`),
            ...(await difference(qualified(there), "accepted")).map((row) => `+ ${row}`),
          ],
        });
      } catch (cause) {
        results.push({ table, rows: 0, differences: [cause instanceof Error ? cause.message : String(cause)] });
      } finally {
        await client.query("ROLLBACK");
      }
    }
    return results;
  });
}

/** As the load writes it: text, or bytes. */
function value(given: OracleValue): string | Buffer | null {
  return typeof given === "number" ? String(given) : given;
}
