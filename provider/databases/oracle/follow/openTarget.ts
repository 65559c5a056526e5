import type { Client } from "pg";
import type { TargetConnection } from "../../postgres/apply/targetConnection.js";

/** A statement that the target refused. `cause` is the server's error. */
export class Refused extends Error {
  constructor(
    readonly statement: string,
    options: { cause: unknown },
  ) {
    super((options.cause as Error).message, options);
  }
}

/** The target inside the applier's open transaction. */
export class OpenTarget {
  constructor(private readonly connection: TargetConnection) {}

  /** One by one, so that the one that fails can be named. Errors: Refused. */
  async run(statements: readonly string[]): Promise<void> {
    for (const statement of statements) {
      try {
        await this.connection.query(statement, []);
      } catch (cause) {
        throw new Refused(statement, { cause });
      }
    }
  }

  /** For queries that were written for a driver's client. */
  asClient(): Pick<Client, "query"> {
    const query = async (sql: string, values: readonly unknown[]) => {
      const { text } = await this.connection.execute(
        `SELECT pg_catalog.jsonb_agg(pg_catalog.to_jsonb(q))::text FROM (${sql}) q`,
        values.map((value) => Buffer.from(Array.isArray(value) ? arrayText(value) : String(value), "utf8")),
        false,
      );
      return { rows: text === undefined ? [] : (JSON.parse(text) as unknown[]) };
    };
    return { query } as unknown as Pick<Client, "query">;
  }
}

function arrayText(values: readonly unknown[]): string {
  return `{${values.map((each) => `"${String(each).replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`).join(",")}}`;
}
