import type { Client } from "pg";
import type { QualifiedName } from "../../../../engine/models/catalog.js";
import type { TargetConnection } from "../../apply/targetConnection.js";
import { qualified } from "../../sql.js";
import { relationSql } from "../capture/structureSql.js";
import type { Structure } from "../structure.js";

/** A statement that the target refused, with the statement. `cause` has the SQLSTATE. */
export class StatementRefused extends Error {
  constructor(
    readonly statement: string,
    options: { cause: unknown },
  ) {
    super((options.cause as Error).message, options);
  }
}

/** The target inside the applier's open transaction: statements one by one, so that the one that fails can be named. */
export class DdlTarget {
  constructor(
    private readonly connection: TargetConnection,
    private readonly version: number,
  ) {}

  async run(statements: readonly string[]): Promise<void> {
    for (const statement of statements) {
      try {
        await this.connection.query(statement, []);
      } catch (cause) {
        throw new StatementRefused(statement, { cause });
      }
    }
  }

  /** What a table, a view or a sequence is like on the target; undefined: there is none. */
  async relation(name: QualifiedName): Promise<Structure | undefined> {
    const id = "pg_catalog.to_regclass($1)::pg_catalog.oid";
    const text = await this.text(`SELECT (${relationSql(this.version, id)})::text`, qualified(name));
    return text === undefined ? undefined : (JSON.parse(text) as Structure);
  }

  async hasRelation(name: QualifiedName): Promise<boolean> {
    return (await this.text("SELECT pg_catalog.to_regclass($1)::pg_catalog.oid::text", qualified(name))) !== undefined;
  }

  async hasType(name: QualifiedName): Promise<boolean> {
    return (await this.text("SELECT pg_catalog.to_regtype($1)::pg_catalog.oid::text", qualified(name))) !== undefined;
  }

  /** Foreign keys from and to a table, as statements that drop them and that make them again. */
  async foreignKeys(name: QualifiedName): Promise<readonly { readonly drop: string; readonly make: string }[]> {
    const text = await this.text(FOREIGN_KEYS, qualified(name));
    return text === undefined ? [] : (JSON.parse(text) as { drop: string; make: string }[]);
  }

  async hasSchema(name: string): Promise<boolean> {
    return (await this.text("SELECT oid::text FROM pg_catalog.pg_namespace WHERE nspname = $1", name)) !== undefined;
  }

  /** For queries that were written for a driver's client; rows come as JSON. */
  asClient(): Pick<Client, "query"> {
    const query = async (sql: string, values: readonly unknown[]) => {
      const text = await this.text(
        `SELECT pg_catalog.jsonb_agg(pg_catalog.to_jsonb(q))::text FROM (${sql}) q`,
        ...values.map(parameter),
      );
      return { rows: text === undefined ? [] : (JSON.parse(text) as unknown[]) };
    };
    return { query } as unknown as Pick<Client, "query">;
  }

  private async text(sql: string, ...values: string[]): Promise<string | undefined> {
    const bytes = values.map((value) => Buffer.from(value, "utf8"));
    return (await this.connection.execute(sql, bytes, false)).text;
  }
}

const FOREIGN_KEYS = `
  SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
           'drop', pg_catalog.format('ALTER TABLE %s DROP CONSTRAINT %I', k.conrelid::pg_catalog.regclass, k.conname),
           'make', pg_catalog.format('ALTER TABLE %s ADD CONSTRAINT %I %s', k.conrelid::pg_catalog.regclass, k.conname, pg_catalog.pg_get_constraintdef(k.oid))))::text
    FROM pg_catalog.pg_constraint k
   WHERE k.contype = 'f' AND coalesce(pg_catalog.to_jsonb(k) ->> 'conparentid', '0') = '0'
     AND pg_catalog.to_regclass($1)::pg_catalog.oid IN (k.conrelid, k.confrelid)`;

/** A value in its type's text form; lists become array literals. */
function parameter(value: unknown): string {
  if (!Array.isArray(value)) return String(value);
  return `{${value.map((each) => `"${String(each).replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`).join(",")}}`;
}
