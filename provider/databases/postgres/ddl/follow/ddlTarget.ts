import type { Client } from "pg";
import type { QualifiedName } from "../../../../engine/models/catalog.js";
import type { TargetConnection } from "../../apply/targetConnection.js";
import { relationSql } from "../capture/structureSql.js";
import type { DdlDialect } from "../emit/ddlDialect.js";
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

/**
 * The target inside the applier's open transaction: statements one by one, so that the one that fails can be named. Its questions are in
 * SQL that PostgreSQL 9.4 has, for AnalyticDB 6.
 */
export class DdlTarget {
  constructor(
    private readonly connection: TargetConnection,
    private readonly dialect: Pick<DdlDialect, "version" | "describe">,
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
  async relation({ schema, name }: QualifiedName): Promise<Structure | undefined> {
    const { version, describe = (id: string) => relationSql(version, id) } = this.dialect;
    const text = await this.text(`SELECT (${describe(RELATION)})::text`, schema, name);
    return text === undefined ? undefined : (JSON.parse(text) as Structure);
  }

  async hasRelation({ schema, name }: QualifiedName): Promise<boolean> {
    return (await this.text(`SELECT ${RELATION}::text`, schema, name)) !== undefined;
  }

  async hasType({ schema, name }: QualifiedName): Promise<boolean> {
    return (await this.text(TYPE, schema, name)) !== undefined;
  }

  /** Foreign keys from and to a table, as statements that drop them and that make them again. */
  async foreignKeys({ schema, name }: QualifiedName): Promise<readonly { readonly drop: string; readonly make: string }[]> {
    const text = await this.text(FOREIGN_KEYS, schema, name);
    return text === undefined ? [] : (JSON.parse(text) as { drop: string; make: string }[]);
  }

  /** The JSON that a query of one value gives; undefined: NULL. */
  async json(query: string): Promise<unknown> {
    const text = await this.text(query);
    return text === undefined ? undefined : JSON.parse(text);
  }

  async hasSchema(name: string): Promise<boolean> {
    return (await this.text("SELECT oid::text FROM pg_catalog.pg_namespace WHERE nspname = $1", name)) !== undefined;
  }

  /** For queries that were written for a driver's client; rows come as JSON. */
  asClient(): Pick<Client, "query"> {
    const query = async (sql: string, values: readonly unknown[]) => {
      const text = await this.text(
        `SELECT pg_catalog.json_agg(pg_catalog.row_to_json(q))::text FROM (${sql}) q`,
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

const RELATION = `(SELECT found.oid FROM pg_catalog.pg_class found JOIN pg_catalog.pg_namespace place ON place.oid = found.relnamespace
  WHERE place.nspname = $1 AND found.relname = $2)`;

const TYPE = `SELECT t.oid::text FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
  WHERE n.nspname = $1 AND t.typname = $2`;

const FOREIGN_KEYS = `
  SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
           'drop', pg_catalog.format('ALTER TABLE %s DROP CONSTRAINT %I', k.conrelid::pg_catalog.regclass, k.conname),
           'make', pg_catalog.format('ALTER TABLE %s ADD CONSTRAINT %I %s', k.conrelid::pg_catalog.regclass, k.conname, pg_catalog.pg_get_constraintdef(k.oid))))::text
    FROM pg_catalog.pg_constraint k
   WHERE k.contype = 'f' AND coalesce(pg_catalog.row_to_json(k) ->> 'conparentid', '0') = '0' AND ${RELATION} IN (k.conrelid, k.confrelid)`;

/** A value in its type's text form; lists become array literals. */
function parameter(value: unknown): string {
  if (!Array.isArray(value)) return String(value);
  return `{${value.map((each) => `"${String(each).replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`).join(",")}}`;
}
