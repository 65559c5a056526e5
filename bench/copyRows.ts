import { needTool } from "./aptTool.js";
import { type Benchmark, inTurn } from "./benchmark.js";
import { timeGodwitTask } from "./godwitTask.js";
import { type LargeTables, TABLES } from "./largeTables.js";
import { timePsqlPipes } from "./peers.js";

/** Rows alone, into tables without keys and indexes: Godwit's full phase against a pipe of two psql for each table. */
export function copyRows(data: LargeTables): Benchmark {
  return {
    name: "copy-rows",
    peerName: "psql COPY binary pipes",
    unit: "s",
    async run(pairIndex) {
      await needTool("psql", "postgresql-client");
      const opened = await data.open();
      const measured = async (side: string, copy: () => Promise<number>) => {
        await opened.emptyTarget({ withTables: true });
        const seconds = await copy();
        await opened.compare(side, { withIndexes: false });
        return seconds;
      };
      return inTurn(pairIndex, {
        ours: () =>
          measured("Godwit", () =>
            timeGodwitTask({
              taskName: "bench copy-rows",
              source: opened.source.endpoint(opened.sourceDatabase),
              target: opened.target.endpoint(opened.targetDatabase),
              migrationTypes: ["full"],
            }),
          ),
        peer: () => measured("psql", () => timePsqlPipes(opened, TABLES)),
      });
    },
    close: async () => undefined,
  };
}
