import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { killProcess } from "../support/kill.js";
import { type PostgresServer, startPostgres } from "../support/postgres.js";
import { RandomSource } from "../support/randomSource.js";
import { createTestTask, discard, type TestTask } from "../support/task.js";
import { startWriters } from "../support/writers.js";
import { ALIKE, settled } from "./ddlComparison.js";

const live = { migrationTypes: ["schema", "full", "incremental"] as const };
/** One table after the other, and so slowly that every change comes while the load is under way. */
const SLOWLY = { parallelism: { tables: 1 }, throttle: { full: { rowsPerSecond: 4000 } } };

/** `early` is loaded first, being the largest; the others wait. */
const TABLES = `
  CREATE TABLE early (id bigint PRIMARY KEY, name text NOT NULL, n integer, body text);
  INSERT INTO early SELECT g, 'n' || g, g, repeat(md5(g::text), 8) FROM generate_series(1, 12000) g;
  CREATE TABLE waiting (id integer PRIMARY KEY, v text NOT NULL, n integer DEFAULT 7, kind varchar(10));
  INSERT INTO waiting SELECT g, 'v' || g, g, 'k' FROM generate_series(1, 2000) g;
  CREATE TABLE part (id integer PRIMARY KEY, waiting integer REFERENCES waiting, note text);
  INSERT INTO part SELECT g, g, 'x' FROM generate_series(1, 1000) g;
  CREATE TABLE bag (kind text, value integer);
  INSERT INTO bag SELECT 'k' || g % 10, g % 7 FROM generate_series(1, 500) g;
  CREATE INDEX ON waiting (v); ANALYZE`;

/** Made on a table that waits for its load, then rows; each by itself. */
const CHANGES: readonly (readonly [string, string])[] = [
  [
    "a column is added",
    "ALTER TABLE waiting ADD COLUMN x integer DEFAULT 5; UPDATE waiting SET x = id WHERE id < 50; INSERT INTO waiting VALUES (9001, 'new', 1, 'k', 2)",
  ],
  [
    "a column is dropped",
    "UPDATE waiting SET n = 3 WHERE id < 9; ALTER TABLE waiting DROP COLUMN n; DELETE FROM waiting WHERE id = 1500; INSERT INTO waiting VALUES (9001, 'new', 'k')",
  ],
  [
    "a column takes another type",
    "ALTER TABLE waiting ALTER n TYPE text; UPDATE waiting SET n = 'text' WHERE id < 9; DELETE FROM waiting WHERE id = 1700",
  ],
  [
    "a column takes another type by an expression",
    "ALTER TABLE waiting ALTER v TYPE integer USING length(v); UPDATE waiting SET v = -1 WHERE id < 9",
  ],
  [
    "a column takes another name",
    "ALTER TABLE waiting RENAME v TO w; UPDATE waiting SET w = 'w' WHERE id < 9; INSERT INTO waiting VALUES (9001, 'new')",
  ],
  [
    "the table takes another name",
    "ALTER TABLE waiting RENAME TO later; UPDATE later SET v = 'w' WHERE id < 9; INSERT INTO later VALUES (9001, 'new')",
  ],
  ["the table is truncated", "TRUNCATE waiting CASCADE; INSERT INTO waiting VALUES (1, 'new')"],
  ["the table is dropped", "DROP TABLE waiting CASCADE; INSERT INTO part VALUES (9001, 5, 'free')"],
  [
    "the table is dropped and made anew",
    "DROP TABLE waiting CASCADE; CREATE TABLE waiting (key text PRIMARY KEY, w integer); INSERT INTO waiting VALUES ('a', 1), ('b', 2); UPDATE waiting SET w = 3 WHERE key = 'a'",
  ],
  [
    "another table takes its name",
    "ALTER TABLE part RENAME TO gone; ALTER TABLE waiting RENAME TO part; CREATE TABLE waiting AS SELECT * FROM part WHERE id < 10; UPDATE part SET v = 'z' WHERE id < 5",
  ],
  [
    "the key is another",
    "ALTER TABLE part DROP CONSTRAINT part_pkey; ALTER TABLE part ADD PRIMARY KEY (note, id); UPDATE part SET waiting = NULL WHERE id < 9; INSERT INTO part VALUES (1, 2, 'y')",
  ],
  [
    "constraints and indexes come and go",
    "ALTER TABLE waiting ADD CONSTRAINT small CHECK (n < 100000); CREATE UNIQUE INDEX one ON waiting (v); DROP INDEX waiting_v_idx; ALTER TABLE part DROP CONSTRAINT part_waiting_fkey; INSERT INTO part VALUES (9001, 99999, 'dangling')",
  ],
  [
    "a foreign key joins",
    "DELETE FROM bag WHERE value = 0; ALTER TABLE bag ADD COLUMN early bigint REFERENCES early; UPDATE bag SET early = value; DELETE FROM early WHERE id > 11000",
  ],
  [
    "a table is made",
    "CREATE TABLE made (id serial PRIMARY KEY, v text); INSERT INTO made (v) SELECT 'v' || g FROM generate_series(1, 50) g; ALTER TABLE made ADD COLUMN w integer DEFAULT 2",
  ],
  [
    "a loaded table changes",
    "ALTER TABLE early ADD COLUMN x integer DEFAULT 1; ALTER TABLE early DROP COLUMN n; UPDATE early SET x = 2 WHERE id < 100; ALTER TABLE early ALTER id TYPE text",
  ],
  [
    "all of it is mixed with rows in one transaction",
    "BEGIN; UPDATE waiting SET v = 'a' WHERE id < 5; ALTER TABLE waiting ADD COLUMN z text; UPDATE waiting SET z = v WHERE id < 10; ALTER TABLE waiting DROP COLUMN n; ALTER TABLE bag RENAME value TO amount; INSERT INTO bag VALUES ('z', 1); ALTER TABLE waiting RENAME TO w; INSERT INTO w VALUES (9001, 'x', 'k', 'z'); COMMIT",
  ],
];

const WRITTEN = [
  { name: "early", key: "id", columns: ["name", "body"] },
  { name: "waiting", key: "id", columns: ["free"], operations: { insert: 0, delete: 0, keyChange: 0 } },
  { name: "bag", columns: ["kind"], operations: { insert: 2, update: 1, delete: 1, keyChange: 0 } },
];

/** What leaves the writers' columns alone; `n` counts the rounds. */
const ROUND: readonly ((n: number) => string)[] = [
  (n) => `ALTER TABLE waiting ADD COLUMN c${n} integer DEFAULT ${n}`,
  (n) => `ALTER TABLE part ADD COLUMN t${n} timestamptz DEFAULT now()`,
  (n) => `CREATE TABLE made_${n} AS SELECT * FROM waiting WHERE id <= 100`,
  (n) => `ALTER TABLE waiting ALTER c${n} TYPE text USING 'c' || c${n}`,
  (n) => `ALTER TABLE bag ADD COLUMN r${n} text DEFAULT md5(random()::text)`,
  () => `TRUNCATE part; INSERT INTO part (id, waiting) SELECT g, NULL FROM generate_series(1, 300) g`,
  (n) => `ALTER TABLE waiting RENAME c${n} TO d${n}; CREATE INDEX waiting_d${n} ON waiting (d${n})`,
  (n) => `ALTER TABLE early ADD COLUMN e${n} text DEFAULT 'e'; ALTER TABLE part DROP COLUMN t${n}`,
  (n) =>
    `BEGIN; DROP TABLE made_${n}; CREATE TABLE made_${n} (id integer PRIMARY KEY, v text); INSERT INTO made_${n} VALUES (${n}, 'x'); COMMIT`,
  (n) => `ALTER TABLE bag ALTER r${n} TYPE varchar(40)`,
];

describe("changes of structure while the full load is under way", () => {
  let source: PostgresServer;
  let target: PostgresServer;
  let task: TestTask;
  beforeAll(async () => {
    [source, target] = await Promise.all([startPostgres({ major: 17 }), startPostgres({ major: 17 })]);
  });
  afterAll(() => Promise.all([source.remove(), target.remove()]));
  afterEach(() => discard(task));

  /** Until rows of the first table are on their way. */
  const loading = () =>
    expect
      .poll(() => task.target.rows("SELECT relid FROM pg_stat_progress_copy"), { timeout: 60_000, interval: 20 })
      .not.toEqual([]);

  it.each(CHANGES)("%s", async (_, sql) => {
    task = await createTestTask(source, target);
    await task.source.run(TABLES);
    const first = task.up({ ...live, ...SLOWLY });
    first.catch(() => undefined);
    await loading();
    await task.source.run(sql);
    await first;
    const found = await settled(task);
    expect((await task.refresh())?.errors).toEqual([]);
    expect(found).toEqual(ALIKE);
  });

  it("is nothing for a table that was changed between the plan and the start of capture", async () => {
    task = await createTestTask(source, target);
    await task.source.run(TABLES);
    // Planned, and not begun: what happens now is in no log.
    await task.up({ ...live, desiredState: "paused" });
    await task.source.run(
      "ALTER TABLE waiting ADD COLUMN x integer DEFAULT 5; ALTER TABLE part RENAME TO later; DROP TABLE bag; CREATE TABLE made (id integer PRIMARY KEY, v text); INSERT INTO made VALUES (1, 'a'); CREATE TABLE keyless (x integer); INSERT INTO keyless VALUES (1)",
    );
    await task.up({ ...live, desiredState: "running" });
    await task.source.run(
      "UPDATE waiting SET x = 6 WHERE id < 10; INSERT INTO made VALUES (2, 'b'); UPDATE later SET note = 'y' WHERE id < 5",
    );
    expect(await settled(task)).toEqual(ALIKE);
    expect((await task.refresh())?.errors).toEqual([]);
  });

  it("is read again without incremental when a table is rewritten as it was, and an error when it is another", async () => {
    const full = { migrationTypes: ["schema", "full"] as const, ...SLOWLY };
    task = await createTestTask(source, target);
    await task.source.run(TABLES);
    const rewritten = task.up(full);
    rewritten.catch(() => undefined);
    await loading();
    await task.source.run("VACUUM FULL waiting");
    expect((await rewritten).state).toBe("completed");
    expect((await task.compare()).differences).toEqual([]);
    await discard(task);
    task = await createTestTask(source, target);
    await task.source.run(TABLES);
    const changed = task.up(full);
    changed.catch(() => undefined);
    await loading();
    await task.source.run("ALTER TABLE waiting ALTER n TYPE text");
    await expect(changed).rejects.toThrow(/GW1502.*the table is another at the source than in the task's plan.*public\.waiting/s);
  });

  it("both sides end equal under writers, random changes and kill -9 of the worker", async () => {
    const seed = Number(process.env.GODWIT_SEED ?? Date.now() % 1_000_000);
    console.log(`structure during the load: seed ${seed} (GODWIT_SEED=${seed} replays it)`);
    const random = new RandomSource(seed);
    task = await createTestTask(source, target);
    await task.source.run(`${TABLES}; ALTER TABLE waiting ADD COLUMN free text`);
    const { host, port, username, password } = source;
    const writers = await startWriters(
      { host, port, user: username, password, database: task.source.name },
      { tables: WRITTEN, writers: 3, changesPerSecond: 600, transactionSize: [1, 20] },
    );
    const first = task.up({ ...live, ...SLOWLY });
    first.catch(() => undefined);
    await loading();
    let kills = 0;
    const killing = (async () => {
      while (kills < 5) {
        await sleep(random.integer(300, 2500));
        if (await killProcess(task.home, "worker")) kills++;
      }
    })();
    for (let n = 1; n <= 6; n++) {
      for (const change of ROUND) {
        await task.source.run(`SET lock_timeout = '30s'; ${change(n)}`);
        await sleep(random.integer(0, 400));
      }
    }
    await killing;
    await writers.stop();
    await first;
    expect(await settled(task, 90)).toEqual(ALIKE);
    expect((await task.refresh())?.errors).toEqual([]);
    await task.destroy();
    expect(await task.leftovers()).toEqual([]);
  });
});
