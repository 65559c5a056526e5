import { ErrorCode, GodwitError } from "../../engine/errors.js";
import { connectOracle, type OracleConnection, type OracleEndpoint } from "./driver.js";
import { oracleCode } from "./oracleErrors.js";
import { SESSION_SETTINGS } from "./session.js";

/** A session where redo is mined, and the pluggable database whose redo is meant. */
export interface RootConnection {
  readonly connection: OracleConnection;
  /** Undefined where there are no containers, or where the task's database is the root itself. */
  readonly container: string | undefined;
}

/** The sessions of one attempt at a task: closing them ends whatever they do. */
export class OracleConnections {
  private readonly open = new Set<OracleConnection>();

  constructor(
    readonly endpoint: OracleEndpoint,
    private readonly name: string,
  ) {}

  /** V$SESSION.MODULE ends in `/part`. */
  async connect(part: string): Promise<OracleConnection> {
    const connection = await connectOracle(this.endpoint, { applicationName: `${this.name}/${part}` });
    this.open.add(connection);
    return connection;
  }

  /** At the root of a container database, where LogMiner runs and all redo is. Errors: those of `connect`, GW2101. */
  async connectRoot(part: string): Promise<RootConnection> {
    const connection = await this.connect(part);
    try {
      return { connection, container: await goToRoot(connection, this.endpoint.username ?? "") };
    } catch (cause) {
      await connection.close();
      throw cause;
    }
  }

  /** Does not wait: a statement that runs is interrupted, and its caller hears of it. */
  close(): void {
    for (const connection of this.open) {
      connection
        .cancel()
        .then(() => connection.close())
        // The attempt is over: that a broken connection can't be closed says nothing new.
        .catch(() => undefined);
    }
    this.open.clear();
  }
}

/** 0: a database without containers; 1: the root; from 3 on pluggable databases. */
export const CONTAINER = `SELECT SYS_CONTEXT('USERENV', 'CON_NAME') AS "name", SYS_CONTEXT('USERENV', 'CON_ID') AS "id" FROM dual`;

/** Moves a session to the root; the name of the pluggable database it was in, undefined when it was in none. Errors: GW2101. */
export async function goToRoot(connection: OracleConnection, user: string): Promise<string | undefined> {
  const [row] = await connection.query<{ name: string; id: string | null }>(CONTAINER);
  if (Number(row?.id ?? 0) <= 2) return undefined;
  try {
    await connection.execute("ALTER SESSION SET CONTAINER = CDB$ROOT");
  } catch (cause) {
    if (oracleCode(cause) === undefined) throw cause;
    throw new GodwitError(ErrorCode.OracleRootRefused, `LogMiner runs in CDB$ROOT, and ${user} may not go there`, {
      object: row?.name ?? "",
      remedy:
        `give the endpoint a common user: in CDB$ROOT, CREATE USER C##GODWIT IDENTIFIED BY ... CONTAINER=ALL; ` +
        "GRANT CREATE SESSION, SET CONTAINER TO C##GODWIT CONTAINER=ALL",
      cause,
    });
  }
  // Another container may bring parameters of its own.
  for (const statement of SESSION_SETTINGS) await connection.execute(statement);
  return row?.name;
}
