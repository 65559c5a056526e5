import type { Client } from "pg";
import type { PlannedTable } from "../../../engine/models/plan.js";
import { binaryFits } from "./applyTable.js";
import type { addBatch } from "./batchStatements.js";
import type { MakeChangeStatements } from "./careful.js";
import { prepareApplySession } from "./session.js";
import { describeTargets, type TargetTable } from "./targetTables.js";

/** What a member of the family says in its own way when changes are applied. */
export interface ApplyDialect {
  /** Makes a fresh connection the applier's, and tells how this server is spoken to. `quiet`: see FollowOptions. */
  prepare(client: Client, quiet: boolean): Promise<ApplySql>;
}

export interface ApplySql {
  describeTargets(client: Client, tables: readonly PlannedTable[]): Promise<Map<number, TargetTable>>;
  /** Whether every value of these tables may travel in binary. */
  binaryFits(tables: readonly PlannedTable[], targets: ReadonlyMap<number, TargetTable>): boolean;
  /** Absent: PostgreSQL's. */
  readonly rules?: { readonly addBatch: typeof addBatch; readonly changeStatements: MakeChangeStatements };
}

export const postgresApply: ApplyDialect = {
  async prepare(client, quiet) {
    await prepareApplySession(client, quiet);
    return { describeTargets, binaryFits };
  },
};
