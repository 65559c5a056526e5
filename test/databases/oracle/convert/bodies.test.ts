import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type PostgresServer, startPostgres } from "../../../support/postgres.js";
import { checkBodies } from "./checkBodies.js";
import { loadConverted } from "./loadConverted.js";

/** PL/pgSQL bodies, expression by expression: CREATE FUNCTION looks at their syntax only. */
describe("every expression in a converted body", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres({ major: 17, settings: { check_function_bodies: "on" }, name: "bodies" });
  });
  afterAll(async () => {
    await server?.remove();
  });

  async function load(script: string, database: string): Promise<void> {
    await server.createDatabase(database);
    await loadConverted(script, (sql) => server.query(sql, undefined, database));
  }

  it.each([
    ["staff.sql", 3, 6],
    ["company.sql", 20, 90],
    ["payroll.sql", 15, 40],
    ["gallery.sql", 1, 1],
  ])("of %s is one that the server can resolve", async (fixture, routines, expressions) => {
    const database = fixture.replace(".sql", "");
    await load(await readFile(join(__dirname, "fixtures", fixture), "utf8"), database);
    const checked = await checkBodies(server, database);
    expect(checked.problems).toEqual([]);
    expect(checked.unread).toEqual([]);
    expect(checked.routines).toBeGreaterThanOrEqual(routines);
    expect(checked.expressions).toBeGreaterThanOrEqual(expressions);
  });

  it("is told from one that the server cannot", async () => {
    await load(
      "CREATE TABLE t (a NUMBER);\nCREATE FUNCTION f(n NUMBER) RETURN NUMBER IS x NUMBER; BEGIN SELECT a INTO x FROM t WHERE a = n; RETURN x; END;\n/\n",
      "broken",
    );
    expect((await checkBodies(server, "broken")).problems).toEqual([]);
    await server.query("ALTER TABLE t RENAME a TO b", undefined, "broken");
    expect((await checkBodies(server, "broken")).problems).toEqual([expect.stringContaining('column "a" does not exist')]);
  });
});
