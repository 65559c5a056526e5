import { type Benchmark, resultOf } from "../benchmark.js";

/** Runs one row by itself: `npx tsx bench/applyBatch.ts [pairs]`. */
export async function alone(benchmark: Benchmark): Promise<void> {
  const pairs = [];
  try {
    for (let index = 0; index < Number(process.argv[2] ?? 5); index++) {
      const pair = await benchmark.run(index);
      console.log(`${benchmark.name} ${index + 1}: ${pair.ours.toFixed(2)} against ${pair.peer.toFixed(2)} ${benchmark.unit}`);
      pairs.push(pair);
    }
    console.log(JSON.stringify(resultOf(benchmark, pairs)));
  } finally {
    await benchmark.close();
  }
}
