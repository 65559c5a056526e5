import { afterAll, beforeAll, expect, it } from "vitest";
import type { SequenceSyncInputs, SequenceSyncOutputs } from "../../provider/contract/types.js";
import { sequenceSync } from "../../provider/resources/sequenceSync.js";
import { EmulatedDictionary } from "../support/oracle/dictionary.js";
import { OracleEmulator } from "../support/oracle/emulator.js";
import { type PostgresServer, startPostgres } from "../support/postgres.js";
import { REPOSITORY } from "../support/pulumiProject.js";
import { recordedLog } from "./recordedLog.js";

process.env.GODWIT_ORACLE_DRIVER = `${REPOSITORY}/test/support/oracle/emulatorModule.cjs`;

let server: PostgresServer;
let emulator: OracleEmulator;
let dictionary: EmulatedDictionary;

beforeAll(async () => {
  server = await startPostgres({ major: 17, name: "oracle", settings: { fsync: "off" } });
  emulator = await OracleEmulator.create(server, "source");
  dictionary = await EmulatedDictionary.create(emulator);
  await dictionary.declare({
    sequences: [
      { owner: "HR", name: "EMP_SEQ", last: 240, increment: 1, cache: 20 },
      { owner: "HR", name: "DOWN", last: -9, increment: -1, min: "-100", max: "-1", cycle: true },
      { owner: "HR", name: "ELSEWHERE", last: 5 },
    ],
    tables: [
      {
        owner: "HR",
        name: "NOTES",
        columns: [{ name: "ID", type: "NUMBER(9,0)", notNull: true, identity: "ALWAYS", identityLast: 61 }],
      },
    ],
  });
  await server.createDatabase("target");
  await server.query(
    `CREATE SCHEMA hr; CREATE SEQUENCE hr.emp_seq; CREATE SEQUENCE hr.down INCREMENT -1 MINVALUE -100 MAXVALUE -1 CYCLE; CREATE SEQUENCE hr.other;
     CREATE TABLE hr.notes (id integer GENERATED ALWAYS AS IDENTITY)`,
    undefined,
    "target",
  );
});
afterAll(async () => {
  await emulator.close();
  await server.remove();
});

function inputs(more: Partial<SequenceSyncInputs> = {}): SequenceSyncInputs {
  const source = { engine: "oracle", ...OracleEmulator.endpoint(server, "source") };
  return { source, target: server.endpoint("target"), margin: 1, ...more } as unknown as SequenceSyncInputs;
}

async function next(name: string): Promise<string> {
  return String((await server.query(`SELECT nextval('${name}') AS n`, undefined, "target")).rows[0]?.n);
}

it("moves PostgreSQL's sequences past those of Oracle, identity columns' among them", async () => {
  const context = recordedLog();
  const { id, outputs } = await sequenceSync.create(inputs(), context);
  expect(outputs.sequences.map(({ name }) => name)).toEqual(["hr.down", "hr.emp_seq", "hr.notes_id_seq"]);
  // LAST_NUMBER itself may be given out at the source yet.
  expect([await next("hr.emp_seq"), await next("hr.down"), await next("hr.notes_id_seq")]).toEqual(["241", "-10", "62"]);
  expect((await sequenceSync.read(id, outputs, context))?.behind).toEqual([]);
  await dictionary.change("UPDATE oracle_emulator.dba_sequences SET last_number = 500 WHERE sequence_name = 'EMP_SEQ'");
  const drifted = (await sequenceSync.read(id, outputs, context)) as SequenceSyncOutputs;
  expect(drifted.behind).toEqual(["hr.emp_seq"]);
  await sequenceSync.update(id, drifted, inputs(), context);
  expect(await next("hr.emp_seq")).toBe("501");
});

it("takes names as Oracle spells them, and other ones for the target", async () => {
  const context = recordedLog();
  const selected = inputs({ sequences: [{ schema: "HR", name: "ELSEWHERE", rename: "other" }] });
  const { outputs } = await sequenceSync.create(selected, context);
  expect(outputs.sequences).toEqual([{ name: "hr.other", value: "5" }]);
  await expect(sequenceSync.create(inputs({ sequences: [{ schema: "HR", name: "NO_SUCH" }] }), context)).rejects.toThrow(
    /GW1902.*hr\.no_such/,
  );
});
