import { availableParallelism } from "node:os";
import { needTool } from "./aptTool.js";
import { type Benchmark, inTurn } from "./benchmark.js";
import { timeGodwitTask } from "./godwitTask.js";
import type { LargeTables } from "./largeTables.js";
import { timePgcopydb } from "./peers.js";

/** A whole database into an empty one: structures, rows, two primary keys and five indexes. */
export function clone(data: LargeTables): Benchmark {
  // Both sides take their lanes from the machine; pgcopydb's own default of 4 and 4 is slower on two cores.
  const jobs = Math.max(2, Math.min(8, availableParallelism()));
  return {
    name: "clone",
    peerName: "pgcopydb clone",
    unit: "s",
    async run(pairIndex) {
      await needTool("pgcopydb", "pgcopydb");
      const opened = await data.open();
      const measured = async (side: string, copy: () => Promise<number>) => {
        await opened.emptyTarget({ withTables: false });
        const seconds = await copy();
        await opened.compare(side, { withIndexes: true });
        return seconds;
      };
      return inTurn(pairIndex, {
        ours: () =>
          measured("Godwit", () =>
            timeGodwitTask({
              taskName: "bench clone",
              source: opened.source.endpoint(opened.sourceDatabase),
              target: opened.target.endpoint(opened.targetDatabase),
              migrationTypes: ["schema", "full"],
            }),
          ),
        peer: () => measured("pgcopydb", () => timePgcopydb(opened, jobs)),
      });
    },
    close: async () => undefined,
  };
}
