import type { Client } from "pg";
import type { PlannedTable, PresentName } from "../../../engine/models/plan.js";
import { isConnectionError } from "../connectionErrors.js";
import { listed } from "../precheck/precheckItem.js";
import { ident, literal, qualified } from "../sql.js";

/** What the server makes of an expression over a table's columns. */
export interface ReadExpression {
  /** In the server's own words. */
  readonly text: string;
  readonly columns: readonly PresentName[];
}

/**
 * Runs `use` with an empty temporary copy of the table, in a transaction that is rolled back: what expressions over its columns mean is known without
 * touching it.
 */
export async function withCopy<T>(client: Client, table: PlannedTable, use: (copy: TableCopy) => Promise<T>): Promise<T> {
  try {
    await client.query("BEGIN");
    const name = ident(table.source.name);
    await client.query(`CREATE TEMPORARY TABLE ${name} (LIKE ${qualified(table.source)})`);
    return await use(new TableCopy(client, table, `pg_temp.${name}`));
  } finally {
    await client.query("ROLLBACK").catch(() => undefined);
  }
}

export class TableCopy {
  constructor(
    private readonly client: Client,
    private readonly table: PlannedTable,
    private readonly name: string,
  ) {}

  /**
   * The condition as the server understands it, or what it objects to. A check constraint takes what a condition may be (no subquery, columns of one
   * table) and tells its columns; the predicate of an index takes only immutable functions. `streamed`: changes must tell all that it names.
   */
  async condition(condition: string, streamed: boolean): Promise<ReadExpression | string> {
    const read = await this.read(condition, streamed);
    if (typeof read !== "string" && read.columns.length === 0) return "the condition names no column";
    return read;
  }

  /** The same for an expression of any type; it may name no column. */
  async value(expression: string, streamed: boolean): Promise<ReadExpression | string> {
    const read = await this.read(`((${expression}) IS NULL)`, streamed);
    if (typeof read === "string") return read;
    const { text, columns } = read;
    // The server writes a test for NULL down as this, and as the other of a row of fields.
    const [, argument] = /^\((.*) IS (?:NULL|NOT DISTINCT FROM NULL)\)$/s.exec(text) ?? [];
    return argument === undefined ? `the server does not write it down as expected (${text})` : { text: argument, columns };
  }

  private async read(condition: string, streamed: boolean): Promise<ReadExpression | string> {
    try {
      await this.client.query("SAVEPOINT godwit_read");
      // One statement, whatever the condition holds: the simple protocol would run all that stand in it.
      const constraint = {
        text: `ALTER TABLE ${this.name} ADD CONSTRAINT godwit_read CHECK ${condition}`,
        queryMode: "extended",
      };
      await this.client.query(constraint);
      const { rows } = await this.client.query<{ text: string; columns: string[]; beyond: boolean }>(
        `SELECT pg_catalog.pg_get_expr(c.conbin, c.conrelid) AS text, 0 >= ANY (coalesce(c.conkey, '{}')) AS beyond,
                ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a
                       WHERE a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey) ORDER BY a.attnum) AS columns
           FROM pg_catalog.pg_constraint c
          WHERE c.conrelid = ${literal(this.name)}::pg_catalog.regclass AND c.conname = 'godwit_read'`,
      );
      const [found] = rows;
      if (!found) return "the server took it and does not have it";
      if (found.beyond) return "it names the whole row or a system column: name the table's columns";
      if (streamed) {
        await this.client.query(`CREATE INDEX ON ${this.name} ((1)) WHERE (${found.text})`);
        const generated = await this.generated(found.columns);
        if (generated.length > 0) return `changes do not hold the generated column ${listed(generated)}`;
      }
      return { text: found.text, columns: found.columns.map((column) => ({ name: column, source: column })) };
    } catch (cause) {
      if (isConnectionError(cause) || !("severity" in (cause as object))) throw cause;
      return (cause as Error).message;
    } finally {
      await this.client.query("ROLLBACK TO SAVEPOINT godwit_read").catch(() => undefined);
    }
  }

  private async generated(names: readonly string[]): Promise<string[]> {
    // As JSON, for PostgreSQL before 12 has no such attribute.
    const { rows } = await this.client.query<{ name: string }>(
      `SELECT a.attname AS name FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = $1::pg_catalog.oid AND a.attname = ANY ($2) AND pg_catalog.to_jsonb(a) ->> 'attgenerated' <> ''`,
      [this.table.id, names],
    );
    return rows.map(({ name }) => name);
  }
}
