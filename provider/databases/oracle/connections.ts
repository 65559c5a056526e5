import { ErrorCode, GodwitError } from "../../engine/errors.js";
import { connectOracle, type OracleConnection, type OracleEndpoint } from "./driver.js";
import { oracleCode } from "./oracleErrors.js";
import { SESSION_SETTINGS } from "./session.js";

/** A session where redo is mined, and the pluggable database whose redo is meant. */
export interface MiningConnection {
  readonly connection: OracleConnection;
  /** Undefined where there are no containers, where the task's database is the root itself, and where the session stays in its own. */
  readonly container: string | undefined;
  /** Mined from inside the pluggable database: LogMiner finds the logs by itself, and shows no other container's redo. */
  readonly local: boolean;
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

  /**
   * At the root of a container database, where LogMiner runs and all redo is. A user who may not go there stays in the pluggable database, from 19.10
   * on. Errors: those of `connect`, GW2101.
   */
  async connectMining(part: string): Promise<MiningConnection> {
    const connection = await this.connect(part);
    try {
      return { connection, ...(await goToMine(connection, this.endpoint.username ?? "")) };
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

/** VERSION says 19.0.0.0.0 of every release of 19; the one with the update in it is there from 18 on. */
export const FULL_VERSION = `SELECT MAX(p.version_full) AS "version" FROM product_component_version p`;

/** Moves a session to where redo is mined: to the root, or nowhere. Errors: GW2101. */
async function goToMine(connection: OracleConnection, user: string): Promise<Omit<MiningConnection, "connection">> {
  const [row] = await connection.query<{ name: string; id: string | null }>(CONTAINER);
  if (Number(row?.id ?? 0) <= 2) return { container: undefined, local: false };
  try {
    await connection.execute("ALTER SESSION SET CONTAINER = CDB$ROOT");
  } catch (cause) {
    if (oracleCode(cause) === undefined) throw cause;
    const version = await fullVersion(connection);
    if (minesLocally(version)) return { container: undefined, local: true };
    throw new GodwitError(
      ErrorCode.OracleRootRefused,
      `before 19.10 LogMiner runs in CDB$ROOT only, and ${user} may not go there (the server is ${version || "older than 18"})`,
      {
        object: row?.name ?? "",
        remedy:
          `give the endpoint a common user: in CDB$ROOT, CREATE USER C##GODWIT IDENTIFIED BY ... CONTAINER=ALL; ` +
          "GRANT CREATE SESSION, SET CONTAINER TO C##GODWIT CONTAINER=ALL",
        cause,
      },
    );
  }
  // Another container may bring parameters of its own.
  for (const statement of SESSION_SETTINGS) await connection.execute(statement);
  return { container: row?.name ?? "", local: false };
}

async function fullVersion(connection: OracleConnection): Promise<string> {
  try {
    const [row] = await connection.query<{ version: string | null }>(FULL_VERSION);
    return row?.version ?? "";
  } catch (cause) {
    // ORA-00904: before 18 there is no such column.
    if (oracleCode(cause) === undefined) throw cause;
    return "";
  }
}

/** Mining inside a pluggable database came with 21c and the updates of 19 from 19.10 on (Utilities, "Steps in a Typical LogMiner Session"). Pure. */
export function minesLocally(version: string): boolean {
  const [major = 0, update = 0] = version.split(".").map(Number);
  return major >= 21 || (major === 19 && update >= 10);
}
