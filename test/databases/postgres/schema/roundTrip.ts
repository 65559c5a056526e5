import type { Client } from "pg";
import { readCatalog } from "../../../../provider/databases/postgres/catalog/readCatalog.js";
import { connect } from "../../../../provider/databases/postgres/connection.js";
import { planSchema, type SchemaPlan } from "../../../../provider/databases/postgres/schema/planSchema.js";
import { type PlanOptions, type ResolvedPlan, resolvePlan } from "../../../../provider/engine/plan.js";
import type { PostgresServer } from "../../../support/postgres.js";

let databases = 0;

/** A connection to a fresh database of the server, as the provider's own: with an empty search_path. */
export async function freshDatabase(server: PostgresServer, statements: readonly string[] = []): Promise<Client> {
  databases += 1;
  const name = `db_${process.pid}_${databases}`;
  await server.createDatabase(name);
  const client = await connect(server.endpoint(name), { applicationName: "godwit/test" });
  for (const statement of statements) {
    try {
      await client.query(statement);
    } catch (cause) {
      throw new Error(`${cause instanceof Error ? cause.message : String(cause)}\n${statement}`);
    }
  }
  return client;
}

export async function planOf(
  source: Client,
  target: PostgresServer,
  options: PlanOptions = {},
): Promise<SchemaPlan & { resolved: ResolvedPlan }> {
  const catalog = await readCatalog(source);
  const resolved = resolvePlan(catalog, options);
  const plan = planSchema(catalog, resolved, target.major);
  return { ...plan, resolved, skipped: [...resolved.skipped, ...plan.skipped] };
}
