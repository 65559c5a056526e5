import type { Client } from "pg";
import type { TargetConnection } from "../../postgres/apply/targetConnection.js";
import { isConnectionError } from "../../postgres/connectionErrors.js";

/** A statement that the target refused. `cause` is the server's error. */
export class Refused extends Error {
  constructor(
    readonly statement: string,
    options: { cause: unknown },
  ) {
    super((options.cause as Error).message, options);
  }

  /** SQLSTATE; undefined when the connection broke. */
  get code(): string | undefined {
    return (this.cause as { code?: string } | undefined)?.code;
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
        throw refusedOr(statement, cause);
      }
    }
  }

  /** One COPY ... FROM STDIN with its messages. Errors: Refused. */
  async copy(statement: string, messages: readonly Buffer[]): Promise<void> {
    try {
      await this.connection.query(statement, messages);
    } catch (cause) {
      throw refusedOr(statement, cause);
    }
  }

  /** Tries statements one after another, each list as a whole: what the target refuses leaves no trace. The last refusal, undefined when one list held. */
  async first(...attempts: readonly (readonly string[])[]): Promise<Refused | undefined> {
    let refused: Refused | undefined;
    for (const statements of attempts) {
      try {
        await this.run(["SAVEPOINT godwit_ddl", ...statements, "RELEASE SAVEPOINT godwit_ddl"]);
        return undefined;
      } catch (cause) {
        if (!(cause instanceof Refused)) throw cause;
        refused = cause;
        await this.run(["ROLLBACK TO SAVEPOINT godwit_ddl", "RELEASE SAVEPOINT godwit_ddl"]);
      }
    }
    return refused;
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

/** A connection that broke is no answer. */
function refusedOr(statement: string, cause: unknown): unknown {
  return isConnectionError(cause) ? cause : new Refused(statement, { cause });
}

function arrayText(values: readonly unknown[]): string {
  return `{${values.map((each) => `"${String(each).replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`).join(",")}}`;
}
