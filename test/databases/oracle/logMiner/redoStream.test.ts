import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { positionAt } from "../../../../provider/databases/oracle/logMiner/position.js";
import { ModelSink } from "../../../support/oracle/modelSink.js";
import { type PostgresServer, startPostgres } from "../../../support/postgres.js";
import { BEGINNING, createFlow, expectedRows, followToEnd, sinkRows } from "./flow.js";
import { playRandom, randomFrom, TABLES } from "./randomScript.js";

describe("redo of random histories, read through the emulator", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres({ major: 17, name: "oracle", settings: { fsync: "off" } });
  });
  afterAll(() => server.remove());

  for (const seed of [1, 2, 3, 4, 5, 6]) {
    it(`leaves the target as the source, with restarts and windows at random (seed ${seed})`, async () => {
      const random = randomFrom(seed);
      const threads = 1 + (seed % 2);
      const flow = await createFlow(server, `random_${seed}`, TABLES, { threads });
      const { emulator } = flow;
      const sink = new ModelSink();
      sink.interrupt = () => random() < 0.04;
      let resume = BEGINNING;
      let streams = 0;
      for (let round = 0; round < 4; round++) {
        const left = playRandom(emulator, random, { steps: 400, threads, atOnce: 6 });
        const outcome = await followToEnd(flow, sink, resume, () => ({
          limits: {
            windowScns: 1 + Math.floor(random() * 60),
            adapt: false,
            memoryBytes: 1 << (10 + Math.floor(random() * 8)),
            pollMs: 5,
            settleMs: 0,
          },
        }));
        resume = outcome.resume;
        streams += outcome.streams;
        for (const table of TABLES) expect(sinkRows(sink, table), table.name).toEqual(expectedRows(emulator, table));
        for (const transaction of left) {
          if (random() < 0.5) transaction.commit();
          else transaction.rollback();
        }
      }
      expect(streams).toBeGreaterThan(8);
      const positions = sink.commits.map(({ position }) => position);
      expect(positions).toEqual([...new Set(positions)].sort((a, b) => (a < b ? -1 : 1)));
      expect(positions.length).toBeGreaterThan(40);
      expect(sink.position).toBe(positionAt(resume.position >> 15n));
      await emulator.close();
    });
  }
});
