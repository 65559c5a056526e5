import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readCatalog } from "../../../../provider/databases/postgres/catalog/readCatalog.js";
import {
  readOfferedExtensions,
  readTargetObjects,
  withoutExisting,
} from "../../../../provider/databases/postgres/schema/existingObjects.js";
import { planSchema } from "../../../../provider/databases/postgres/schema/planSchema.js";
import type { DdlStep } from "../../../../provider/engine/models/plan.js";
import { resolvePlan } from "../../../../provider/engine/plan.js";
import { type PostgresServer, startPostgres } from "../../../support/postgres.js";
import { applySteps } from "./applySteps.js";
import { describeDatabase } from "./describeDatabase.js";
import { fixture } from "./fixture.js";
import { freshDatabase, planOf } from "./roundTrip.js";

describe("the selected part of a database", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres({ major: 18, settings: { fsync: "off" } });
  });
  afterAll(() => server.remove());

  it("brings the types, functions and sequences that a listed table needs, and no more", async () => {
    const source = await freshDatabase(server, fixture(18));
    const target = await freshDatabase(server);
    const plan = await planOf(source, server, { objects: [{ schema: "app", tables: [{ name: "customer" }] }] });
    await applySteps(target, plan.steps, { seed: 3 });
    const made = plan.steps
      .map(({ id }) => id.replace(/\(.*/, ""))
      .filter((id) => /^(table|view|type|routine|sequence|collation|operator|operatorClass|schema):/.test(id));
    expect(made.sort()).toEqual([
      "operator:app.#<#",
      "operator:app.#<=#",
      "operator:app.#=#",
      "operator:app.#>#",
      "operator:app.#>=#",
      "operatorClass:app.by_x USING btree",
      "routine:app.float_gap",
      "routine:app.is_code",
      "routine:app.next_code",
      "routine:app.point_is_0",
      "routine:app.point_is_1",
      "routine:app.point_is_2",
      "routine:app.point_is_3",
      "routine:app.point_is_4",
      "routine:app.point_order",
      "schema:app",
      "sequence:app.customer_id_seq",
      "table:app.customer",
      "type:app.code",
      "type:app.floats",
      "type:app.mood",
      "type:app.point3",
      "type:app.posint",
    ]);
    expect(plan.skipped).toEqual([
      {
        kind: "foreignKey",
        name: "app.customer.customer_last_invoice_fkey",
        reason: "it references app.invoice, which is not selected",
      },
    ]);
    const { rows } = await target.query("SELECT pg_get_serial_sequence('app.customer', 'id') AS sequence");
    expect(rows).toEqual([{ sequence: "app.customer_id_seq" }]);
    await source.end();
    await target.end();
  });

  it("leaves out, with the reason, what needs something that is left out", async () => {
    const source = await freshDatabase(server, [
      "CREATE TEXT SEARCH CONFIGURATION public.words (COPY = pg_catalog.simple)",
      "CREATE EXTENSION hstore SCHEMA public",
      "CREATE TABLE public.t (a int PRIMARY KEY, b text)",
      "CREATE INDEX words ON public.t USING gin (to_tsvector('public.words', b))",
      "CREATE TABLE public.h (h public.hstore)",
      "CREATE VIEW public.of_h AS SELECT h FROM public.h",
      "CREATE VIEW public.of_of_h AS SELECT h FROM public.of_h",
      "CREATE TABLE public.gone (a int)",
      "CREATE VIEW public.of_gone AS SELECT a FROM public.gone",
    ]);
    const catalog = await readCatalog(source);
    const resolved = resolvePlan(catalog, { objects: [{ schema: "public", exclude: ["gone"] }] });
    const plan = planSchema(catalog, resolved, 18, new Set(["plpgsql"]));
    const target = await freshDatabase(server);
    await applySteps(target, plan.steps);
    expect(plan.skipped.map(({ kind, name, reason }) => `${kind} ${name}: ${reason}`)).toEqual([
      "extension hstore: the target does not offer this extension; install its package on the target's server",
      "table public.h: it needs extension hstore, which is not moved: the target does not offer this extension; install its package on the target's server",
      "view public.of_h: it needs extension hstore, which is not moved: the target does not offer this extension; install its package on the target's server",
      "view public.of_of_h: it needs extension hstore, which is not moved: the target does not offer this extension; install its package on the target's server",
      "view public.of_gone: it needs table public.gone, which is not moved: it is not selected",
      "index public.words: it needs textSearchConfiguration public.words, which is not moved",
    ]);
    expect(plan.tablesLeftOut).toEqual(resolved.tables.filter(({ source: { name } }) => name === "h").map(({ id }) => id));
    const offered = planSchema(catalog, resolved, 18, await readOfferedExtensions(target));
    expect(offered.tablesLeftOut).toEqual([]);
    const whole = await freshDatabase(server);
    await applySteps(whole, offered.steps, { seed: 2 });
    expect((await whole.query("SELECT extname FROM pg_extension WHERE extname = 'hstore'")).rowCount).toBe(1);
    for (const client of [source, target, whole]) await client.end();
  });

  it("keeps what the target has already, whole or in part", async () => {
    const source = await freshDatabase(server, fixture(18));
    const reference = await freshDatabase(server, fixture(18));
    const complete = await freshDatabase(server, fixture(18));
    const plan = await planOf(source, server);
    const rest = withoutExisting(plan.steps, await readTargetObjects(complete));
    expect(rest.map(({ id }) => id).filter((id) => !/^(schema|extension):/.test(id))).toEqual([]);

    const partly = await freshDatabase(server);
    // A table that is there keeps its replica identity and its triggers' states, so here they are made with it.
    const first = plan.steps.filter(
      ({ id, stage }, index) => stage === "beforeRows" || /^(identity|triggerState):/.test(id) || index % 2 === 0,
    );
    await applySteps(partly, withNeeded(plan.steps, first));
    await applySteps(partly, withoutExisting(plan.steps, await readTargetObjects(partly)), { seed: 5 });
    expect(await describeDatabase(partly)).toEqual(await describeDatabase(reference));
    for (const client of [source, reference, complete, partly]) await client.end();
  });
});

function withNeeded(steps: readonly DdlStep[], chosen: readonly DdlStep[]): DdlStep[] {
  const ids = new Set(chosen.map(({ id }) => id));
  // Steps come after those they depend on, so one way back finds all.
  for (const step of [...steps].reverse()) if (ids.has(step.id)) for (const id of step.dependsOn) ids.add(id);
  return steps.filter(({ id }) => ids.has(id));
}
