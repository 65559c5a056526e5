import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type PostgresServer, startPostgres } from "../../../support/postgres.js";
import { loadConverted } from "./loadConverted.js";

/** A whole schema with triggers, procedures and a package's state, used in one session as an application would. */
describe("a converted payroll in use", () => {
  let server: PostgresServer;
  let client: Client;
  const rows = async (sql: string) => (await client.query({ text: sql, rowMode: "array" })).rows as unknown[][];

  beforeAll(async () => {
    server = await startPostgres({ major: 17, settings: { check_function_bodies: "on" }, name: "payroll" });
    client = new Client(server.clientConfig("postgres"));
    await client.connect();
    const script = await readFile(join(__dirname, "fixtures", "payroll.sql"), "utf8");
    await loadConverted(script, (sql) => client.query(sql));
    await client.query(`INSERT INTO houses VALUES (1, 'Globe', 5000), (2, 'Rose', 10);
      INSERT INTO grades VALUES ('A', 100, 900), ('B', 50, 400);
      INSERT INTO players (player_id, name, hired, grade, wage, mentor_id, house_id) VALUES
        (1, ' will ', '1590-01-02 03:04:05', 'A', 700, NULL, 1), (2, 'richard', '1594-05-06', 'A', 650.50, 1, 1),
        (3, 'ned', '1592-01-01', 'B', 90, NULL, NULL), (4, 'ann', '1599-01-01', 'B', 80, 1, 2)`);
  });
  afterAll(async () => {
    await client?.end();
    await server?.remove();
  });

  it("has rows as the triggers make them", async () => {
    expect(await rows("SELECT name, bonus FROM players ORDER BY player_id")).toEqual([
      ["Will", "0.10"],
      ["Richard", "0.10"],
      ["Ned", "0.10"],
      ["Ann", "0.10"],
    ]);
  });

  it("answers with windows that look past NULLs, with the best of a group, and with NULL where an argument is", async () => {
    expect(await rows("SELECT last_mentor, mentor_before, best_paid, most, grade_number FROM wages ORDER BY player_id")).toEqual([
      [null, -1, "Will", null, "0"],
      [1, -1, "Will", "650.50", "0"],
      [1, 1, "Ned", null, "0"],
      [1, 1, "Ned", "80.00", "0"],
    ]);
    expect(await rows("SELECT name FROM half")).toEqual([["Will"], ["Richard"]]);
    expect(await rows("SELECT name, depth, place FROM pupils ORDER BY place")).toEqual([
      ["Ned", 1, "1"],
      ["Will", 1, "2"],
      ["Ann", 2, "3"],
      ["Richard", 2, "4"],
    ]);
  });

  it("aggregates with a type's own methods, which see no NULL", async () => {
    expect(await rows("SELECT longest_word(w) FROM (VALUES ('ab'), (NULL), ('abcd'), ('abc')) AS v(w)")).toEqual([["abcd"]]);
    expect(await rows("SELECT longest_word(name) FROM players WHERE false")).toEqual([["-"]]);
  });

  it("counts raises over a statement, and starts again with the next", async () => {
    await client.query("UPDATE players SET wage = wage + 5.5 WHERE grade = 'B'");
    await client.query("UPDATE players SET wage = wage - 1 WHERE grade = 'B'");
    await client.query("UPDATE players SET wage = wage + 0.25 WHERE player_id = 3");
    expect(await rows("SELECT entry_id, text, amount FROM ledger ORDER BY entry_id")).toEqual([
      [100, "2 raised by 11", "11.00"],
      [110, "1 raised by .25", "0.25"],
    ]);
  });

  it("pays through overloads of a procedure, and keeps the package's state in the session", async () => {
    await client.query("CALL payroll.pay(1, 2)");
    expect(await rows("SELECT budget FROM houses WHERE house_id = 1")).toEqual([["2299.00"]]);
    expect(await rows("SELECT payroll.g_runs(), payroll.g_last()")).toEqual([[1, "house 1 paid 2701"]]);
    expect(await rows("SELECT text, amount FROM ledger WHERE entry_id = 120")).toEqual([["run 1", "2701.00"]]);
  });

  it("raises an application's own error, by number and text", async () => {
    expect(await rows("SELECT payroll.guarded(2)")).toEqual([["-20050 ORA-20050: house 2 lacks 84490"]]);
    expect(await rows("SELECT payroll.g_runs()")).toEqual([[1]]);
    await expect(client.query("CALL end_engagement(99)")).rejects.toMatchObject({
      code: "OR044",
      message: "ORA-20044: no player 99",
    });
  });

  it("writes the engagements that ended, by trigger and by hand", async () => {
    await client.query("UPDATE players SET grade = 'B' WHERE player_id = 2");
    await client.query("DELETE FROM players WHERE player_id = 4");
    await client.query("CALL end_engagement(1, '1600-01-01')");
    expect(
      await rows("SELECT player_id, since::text, until = date_trunc('day', until), grade FROM engagements ORDER BY 1"),
    ).toEqual([
      [1, "1590-01-02 03:04:05", true, "A"],
      [2, "1594-05-06 00:00:00", true, "A"],
      [4, "1599-01-01 00:00:00", true, "B"],
    ]);
  });

  it("formats a row, picks among overloads, reads cursors' rows and dynamic columns in bulk", async () => {
    expect(await rows("SELECT payroll.slip(1), payroll.slip(3)")).toEqual([
      ["Will....      700 x.1 Globe", "Ned.....    94.75 x.1 nowhere"],
    ]);
    expect(await rows("SELECT payroll.kind(1::numeric), payroll.kind(1)")).toEqual([["number", "integer"]]);
    expect(await rows("SELECT payroll.table_of(10)")).toEqual([["Will=700;"]]);
    expect(await rows("SELECT payroll.names_by_text()")).toEqual([["2NedWill"]]);
  });
});
