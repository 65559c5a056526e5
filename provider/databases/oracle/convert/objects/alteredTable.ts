import type { Environment } from "../write/environment.js";
import { fitName, quoteName, quoteNames, quoteText } from "../write/names.js";

/** The table that an ALTER TABLE changes. */
export interface Table {
  readonly name: readonly string[];
  readonly sql: string;
  readonly env: Environment;
}

/** What one change of an ALTER TABLE becomes. */
export interface Step {
  readonly sql: readonly string[];
  readonly nothing?: string;
}

/** A partition is a table of its own, named after its parent and itself. */
export function partitionName(table: Table, partition: string): string {
  return quoteNames([...table.name.slice(0, -1), fitName(`${table.name.at(-1)}_${partition}`)]);
}

/**
 * Leaves a DO block when the target's table came without its partitions: its rows are all in one place then, whatever partitions the
 * source has.
 */
export function unlessPartitioned(table: Table, leave = "RAISE NOTICE"): string {
  const name = quoteText(table.sql);
  const raise =
    leave === "RAISE NOTICE"
      ? `${leave} 'the table % has no partitions here: nothing to do', ${name}; RETURN;`
      : `${leave} 'the table % has no partitions here', ${name};`;
  return `  IF (SELECT relkind FROM pg_class WHERE oid = ${name}::regclass) <> 'p' THEN ${raise} END IF;`;
}

/** READ ONLY is kept by a trigger that refuses every change; READ WRITE takes it away. */
export function readOnly(table: Table, only: boolean): Step {
  const name = quoteName("godwit_read_only");
  if (!only) return { sql: [`DROP TRIGGER IF EXISTS ${name} ON ${table.sql}`] };
  const functionName = quoteNames([...table.name.slice(0, -1), fitName(`${table.name.at(-1)}_read_only`)]);
  return {
    sql: [
      `CREATE OR REPLACE FUNCTION ${functionName}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'read_only_sql_transaction', MESSAGE = ${quoteText(`the table ${table.name.join(".")} is read only`)}; END $$`,
      `CREATE OR REPLACE TRIGGER ${name} BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON ${table.sql} FOR EACH STATEMENT EXECUTE FUNCTION ${functionName}()`,
    ],
  };
}
