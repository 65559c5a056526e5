import { Client } from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { SequenceSyncInputs } from "../../provider/contract/types.js";
import { withDefaults } from "../../provider/contract/validate.js";
import type { Sequence } from "../../provider/databases/postgres/sequences.js";
import { advanced, callsBehind } from "../../provider/databases/postgres/sequencesAhead.js";
import { moveSequence } from "../../provider/databases/postgres/sequencesMove.js";
import { sequenceSync } from "../../provider/resources/sequenceSync.js";
import { type PostgresServer, startPostgres } from "../support/postgres.js";
import { recordedLog } from "./recordedLog.js";

let source: PostgresServer;
let target: PostgresServer;

beforeAll(async () => {
  [source, target] = await Promise.all([startPostgres({ major: 10, name: "seq" }), startPostgres({ major: 17, name: "seq" })]);
});
afterAll(() => Promise.all([source?.remove(), target?.remove()]));
beforeEach(async () => {
  for (const server of [source, target])
    await server.query("DROP SCHEMA public CASCADE; CREATE SCHEMA public; DROP SCHEMA IF EXISTS away CASCADE");
});

function inputs(more: Partial<SequenceSyncInputs> = {}): SequenceSyncInputs {
  return withDefaults<SequenceSyncInputs>("SequenceSync", {
    source: source.endpoint(),
    target: target.endpoint(),
    ...more,
  } as SequenceSyncInputs);
}

async function both(sql: string): Promise<void> {
  await Promise.all([source.query(sql), target.query(sql)]);
}

const state = async (server: PostgresServer, name: string) => {
  const { rows } = await server.query<{ last: string; called: boolean }>(
    `SELECT last_value::text AS last, is_called AS called FROM ${name}`,
  );
  return rows[0];
};

const sync = async (more: Partial<SequenceSyncInputs> = {}) => (await sequenceSync.create(inputs(more), recordedLog())).outputs;

describe("a sequence sync", () => {
  it("moves every sequence that both sides have, with those of serial and identity columns", async () => {
    await both(`
      CREATE SEQUENCE plain;
      CREATE TABLE s (id serial PRIMARY KEY);
      CREATE TABLE i (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "Odd.Name" smallserial)`);
    await source.query(
      `SELECT setval('plain', 41), setval('s_id_seq', 1000), setval('i_id_seq', 5000000000), setval('"i_Odd.Name_seq"', 7)`,
    );
    await source.query("CREATE SEQUENCE only_here");
    const outputs = await sync();
    expect(outputs.sequences).toEqual([
      { name: 'public."i_Odd.Name_seq"', value: "8" },
      { name: "public.i_id_seq", value: "5000000001" },
      { name: "public.plain", value: "42" },
      { name: "public.s_id_seq", value: "1001" },
    ]);
    expect(outputs.behind).toEqual([]);
    expect((await target.query("INSERT INTO i DEFAULT VALUES RETURNING id::text")).rows).toEqual([{ id: "5000000002" }]);
    expect(sequenceSync.diff(outputs, inputs())).toEqual({
      changes: false,
      replaces: [],
      deleteBeforeReplace: false,
      details: [],
    });
    expect(await sequenceSync.read("id", outputs, recordedLog())).toEqual(outputs);
  });

  it("sets the margin in the source's increments, and with margin 0 copies is_called", async () => {
    await both("CREATE SEQUENCE up INCREMENT 10; CREATE SEQUENCE fresh START 500; CREATE SEQUENCE set_only");
    await source.query("SELECT setval('up', 71), setval('set_only', 100000, false)");
    await sync({ margin: 0 });
    expect(await state(target, "up")).toEqual({ last: "71", called: true });
    expect(await state(target, "fresh")).toEqual({ last: "500", called: false });
    expect(await state(target, "set_only")).toEqual({ last: "100000", called: false });
    await sync({ margin: 5 });
    expect(await state(target, "up")).toEqual({ last: "121", called: true });
    expect(await state(target, "fresh")).toEqual({ last: "504", called: true });
  });

  it("moves a sequence to another name", async () => {
    await source.query("CREATE SEQUENCE a; SELECT setval('a', 9)");
    await target.query('CREATE SCHEMA away; CREATE SEQUENCE away."B b"');
    const outputs = await sync({ sequences: [{ schema: "public", name: "a", renameSchema: "away", rename: "B b" }] });
    expect(outputs.sequences).toEqual([{ name: 'away."B b"', value: "10" }]);
    expect(await state(target, 'away."B b"')).toEqual({ last: "10", called: true });
  });

  it("never moves a sequence backwards, up or down", async () => {
    await both("CREATE SEQUENCE up; CREATE SEQUENCE down INCREMENT -1 MINVALUE -1000000");
    await source.query("SELECT setval('up', 10), setval('down', -10)");
    await target.query("SELECT setval('up', 900), setval('down', -900)");
    const outputs = await sync();
    expect(outputs.sequences).toEqual([
      { name: "public.down", value: "-900" },
      { name: "public.up", value: "900" },
    ]);
    await source.query("SELECT setval('down', -50000)");
    await sync();
    expect(await state(target, "down")).toEqual({ last: "-50001", called: true });
  });

  it("refuses what the target cannot hold, before anything moves", async () => {
    await both("CREATE SEQUENCE a_first");
    await source.query("SELECT setval('a_first', 5); CREATE SEQUENCE wide; SELECT setval('wide', 3000000000)");
    await target.query("CREATE SEQUENCE wide AS integer");
    await expect(sync()).rejects.toThrow(/GW1901: the value 3000000001 does not fit.*\[public.wide\].*AS bigint/s);
    expect(await state(target, "a_first")).toEqual({ last: "1", called: false });
    await target.query("DROP SEQUENCE wide; CREATE SEQUENCE wide INCREMENT -1 MINVALUE -10 MAXVALUE 4000000000 START 5");
    await expect(sync()).rejects.toThrow(/GW1901: the sequence counts by -1 at the target and by 1/);
  });

  it("follows a cycle, and stops where a sequence ends", async () => {
    await both("CREATE SEQUENCE round MAXVALUE 10 CYCLE; CREATE SEQUENCE ends MAXVALUE 10");
    await source.query("SELECT setval('round', 9), setval('ends', 9)");
    await sync({ margin: 4 });
    // 10, then 1, 2, 3: the fourth call from 9.
    expect(await state(target, "round")).toEqual({ last: "3", called: true });
    expect(await state(target, "ends")).toEqual({ last: "10", called: true });
    await expect(target.query("SELECT nextval('ends')")).rejects.toThrow(/reached maximum/);
  });

  it("names a sequence that is missing on either side", async () => {
    await source.query("CREATE SEQUENCE there");
    await expect(sync({ sequences: [{ schema: "public", name: "nowhere" }] })).rejects.toThrow(
      /GW1902: the source has no such sequence.*nowhere/s,
    );
    await expect(sync({ sequences: [{ schema: "public", name: "there" }] })).rejects.toThrow(
      /GW1902: the target has no such sequence/,
    );
  });

  it("shows on refresh when the target fell behind, and up mends it", async () => {
    await both("CREATE SEQUENCE a; CREATE SEQUENCE b");
    const wanted = {
      sequences: [
        { schema: "public", name: "a" },
        { schema: "public", name: "b" },
      ],
    };
    const outputs = await sync(wanted);
    await source.query("SELECT setval('a', 50)");
    const context = recordedLog();
    const found = await sequenceSync.read("id", outputs, context);
    expect(found?.behind).toEqual(["public.a"]);
    expect(context.lines.join()).toContain("warning: 1 sequence(s) of the target fell behind the source: public.a");
    expect(found && sequenceSync.diff(found, inputs(wanted))).toMatchObject({ changes: true, replaces: [] });
    const mended = await sequenceSync.update("id", found ?? outputs, inputs(wanted), recordedLog());
    expect(mended.behind).toEqual([]);
    expect(await state(target, "a")).toEqual({ last: "51", called: true });
    await target.query("DROP SEQUENCE b");
    expect((await sequenceSync.read("id", mended, recordedLog()))?.behind).toEqual(["public.b"]);
  });

  it("runs again when a trigger or the selection changes, and is replaced for another database only", async () => {
    await both("CREATE SEQUENCE a; CREATE SEQUENCE b");
    const outputs = await sync({ triggers: { run: "1" } });
    const diff = (more: Partial<SequenceSyncInputs>) => sequenceSync.diff(outputs, inputs({ triggers: { run: "1" }, ...more }));
    expect(diff({})).toMatchObject({ changes: false });
    expect(diff({ triggers: { run: "2" } })).toMatchObject({ changes: true, replaces: [] });
    expect(diff({ sequences: [{ schema: "public", name: "a" }] })).toMatchObject({ changes: true, replaces: [] });
    expect(diff({ target: { ...target.endpoint(), password: "changed" } })).toMatchObject({ changes: true, replaces: [] });
    expect(diff({ target: target.endpoint("other") })).toMatchObject({ replaces: ["target"] });
  });

  it("tells a role which rights it lacks", async () => {
    await both("CREATE SEQUENCE a");
    for (const server of [source, target]) {
      await server.query(
        "DROP ROLE IF EXISTS plain; SET password_encryption = 'scram-sha-256'; CREATE ROLE plain LOGIN PASSWORD 'p'",
      );
    }
    const plain = (server: PostgresServer) => ({ ...server.endpoint(), username: "plain", password: "p" });
    await expect(sync({ source: plain(source) })).rejects.toThrow(/GW1910: the source's role may not read.*GRANT/s);
    await source.query("GRANT USAGE ON SCHEMA public TO plain; GRANT SELECT ON SEQUENCE a TO plain");
    await target.query("GRANT USAGE ON SCHEMA public TO plain; GRANT SELECT ON SEQUENCE a TO plain");
    await expect(sync({ source: plain(source), target: plain(target) })).rejects.toThrow(
      /GW1910: the target's role may not move.*GRANT USAGE, SELECT, UPDATE/s,
    );
    await target.query("GRANT USAGE, UPDATE ON SEQUENCE a TO plain");
    await sync({ source: plain(source), target: plain(target) });
    for (const server of [source, target]) await server.query("DROP OWNED BY plain; DROP ROLE plain");
  });

  it("gives no value twice to sessions that draw from it meanwhile", async () => {
    await both("CREATE SEQUENCE busy");
    const { username: user, password, databaseName: database } = target.endpoint();
    const sessions = await Promise.all(
      [1, 2, 3].map(async () => {
        const client = new Client({ host: target.host, port: target.port, user, password, database });
        await client.connect();
        return client;
      }),
    );
    const drawn: string[] = [];
    let drawing = true;
    const draws = sessions.map(async (client) => {
      while (drawing) drawn.push((await client.query<{ v: string }>("SELECT nextval('busy')::text AS v")).rows[0]?.v ?? "");
    });
    // Gaps on both sides of the border between nextval and setval, again and again.
    for (let round = 1; round <= 40; round++) {
      const ahead = round % 2 ? 500 : 15_000;
      const { rows } = await target.query<{ last: string }>("SELECT last_value::text AS last FROM busy");
      const goal = Number(rows[0]?.last) + ahead;
      await source.query("SELECT setval('busy', $1)", [goal]);
      const outputs = await sync();
      expect(Number(outputs.sequences[0]?.value)).toBeGreaterThan(goal);
    }
    drawing = false;
    await Promise.all(draws);
    await Promise.all(sessions.map((client) => client.end()));
    expect(drawn.length).toBeGreaterThan(1000);
    expect(new Set(drawn).size).toBe(drawn.length);
  });
});

describe("how far a sequence is to go", () => {
  const sequence = (more: Partial<Sequence>): Sequence => ({
    schema: "s",
    name: "n",
    increment: 1n,
    min: 1n,
    max: 100n,
    cycle: false,
    type: "bigint",
    last: 1n,
    called: true,
    ...more,
  });

  /** The server's own rules, one call at a time. */
  function nextval({ last, called, increment, min, max, cycle }: Sequence): bigint | undefined {
    if (!called) return last;
    const next = last + increment;
    if (increment > 0n ? next <= max : next >= min) return next;
    return cycle ? (increment > 0n ? min : max) : undefined;
  }

  it("is what calling nextval that often gives", () => {
    for (const increment of [1n, 3n, -1n, -7n]) {
      for (const cycle of [true, false]) {
        for (const called of [true, false]) {
          for (const last of [1n, 2n, 50n, 99n, 100n]) {
            let walked = sequence({ increment, cycle, called, last });
            for (let margin = 0n; margin < 150n; margin++) {
              expect(advanced(sequence({ increment, cycle, called, last }), margin)).toEqual({
                last: walked.last,
                called: walked.called,
              });
              const next = nextval(walked);
              if (next !== undefined) walked = { ...walked, last: next, called: true };
            }
          }
        }
      }
    }
  });

  it("counts the calls that bring the target past the goal, and no more", () => {
    for (const increment of [1n, 4n, -1n, -3n]) {
      for (const called of [true, false]) {
        for (const goalCalled of [true, false]) {
          for (const goal of [1n, 20n, 37n, 60n]) {
            const target = sequence({ increment, called, last: 40n, min: -1000n, max: 1000n });
            const calls = callsBehind(target, { last: goal, called: goalCalled });
            const nextAfter = (count: bigint) => (called ? target.last + increment : target.last) + count * increment;
            const safe = (next: bigint) => {
              const beyond = increment > 0n ? next - goal : goal - next;
              return goalCalled ? beyond > 0n : beyond >= 0n;
            };
            expect(safe(nextAfter(calls))).toBe(true);
            if (calls > 0n) expect(safe(nextAfter(calls - 1n))).toBe(false);
          }
        }
      }
    }
  });

  it("does not run into a bound where the target's increment does not land on the goal", async () => {
    await target.query("CREATE SEQUENCE odd INCREMENT 7 MAXVALUE 100 CYCLE");
    const { username: user, password, databaseName: database } = target.endpoint();
    const client = new Client({ host: target.host, port: target.port, user, password, database });
    await client.connect();
    try {
      const odd = sequence({ schema: "public", name: "odd", increment: 7n, cycle: true, called: false });
      expect(await moveSequence(client, odd, { last: 100n, called: true })).toEqual({
        state: { last: 99n, called: true },
        moved: true,
      });
    } finally {
      await client.end();
    }
  });
});
