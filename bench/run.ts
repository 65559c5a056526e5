import { parseArgs } from "node:util";
import { applyBatch } from "./applyBatch.js";
import { applySingle } from "./applySingle.js";
import { type Benchmark, goesFirst, type Pair, PeerUnavailable, type Result, resultOf } from "./benchmark.js";
import { clone } from "./clone.js";
import { copyRows } from "./copyRows.js";
import { kafkaLoad } from "./kafkaLoad.js";
import { kafkaProduce } from "./kafkaProduce.js";
import { kafkaStream } from "./kafkaStream.js";
import { LargeTables } from "./largeTables.js";
import { redoScan } from "./redoScan.js";

const USAGE = "npm run bench -- [name ...] [--json] [--pairs N]";

/** `npm run bench`: Godwit against what a user would pick instead, pair by pair, on real servers that keep what they confirm. */
async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { json: { type: "boolean", default: false }, pairs: { type: "string", default: "5" } },
  });
  const pairs = Number(values.pairs);
  if (!Number.isInteger(pairs) || pairs < 1) throw new Error(`--pairs takes a whole number from 1; usage: ${USAGE}`);
  const data = new LargeTables();
  const all: readonly Benchmark[] = [
    copyRows(data),
    clone(data),
    applyBatch(),
    applySingle(),
    redoScan(),
    kafkaProduce(),
    kafkaStream(),
    kafkaLoad(),
  ];
  const unknown = positionals.filter((name) => !all.some((benchmark) => benchmark.name === name));
  if (unknown.length > 0) {
    throw new Error(`no row ${unknown.join(", ")}; there are ${all.map(({ name }) => name).join(", ")}; usage: ${USAGE}`);
  }
  const report = values.json ? jsonReport : tableReport;
  try {
    for (const benchmark of all) {
      if (positionals.length === 0 || positionals.includes(benchmark.name)) await measure(benchmark, pairs, report);
    }
  } finally {
    await data.close();
  }
}

interface Report {
  begin(benchmark: Benchmark): void;
  pair(benchmark: Benchmark, index: number, pair: Pair): void;
  end(result: Result): void;
  skip(benchmark: Benchmark, reason: string): void;
}

async function measure(benchmark: Benchmark, pairs: number, report: Report): Promise<void> {
  report.begin(benchmark);
  const measured: Pair[] = [];
  try {
    for (let index = 0; index < pairs; index++) {
      const pair = await benchmark.run(index);
      measured.push(pair);
      report.pair(benchmark, index, pair);
    }
  } catch (cause) {
    if (!(cause instanceof PeerUnavailable)) throw cause;
    report.skip(benchmark, cause.message);
    return;
  } finally {
    await benchmark.close();
  }
  report.end(resultOf(benchmark, measured));
}

const tableReport: Report = {
  begin: ({ name, peerName }) => console.log(`\n${name}: godwit against ${peerName}`),
  pair({ unit }, index, { ours, peer }) {
    const order = goesFirst(index) === "ours" ? "godwit first" : "peer first";
    console.log(`  pair ${index + 1}   ${line(ours, peer, peer / ours, unit)}   ${order}`);
  },
  end: ({ ours, peer, ratio, unit }) => console.log(`  median   ${line(ours, peer, ratio, unit)}   above 1: godwit is faster`),
  skip: (_benchmark, reason) => console.log(`  skipped: ${reason}`),
};

/** One object a line on standard output for whoever reads it; what is said besides goes to standard error. */
const jsonReport: Report = {
  begin: () => undefined,
  pair: ({ name }, index, { ours, peer }) => console.error(`${name} ${index + 1}: ${ours.toFixed(2)} against ${peer.toFixed(2)}`),
  end: ({ name, ours, peer, peerName, unit, ratio }) =>
    console.log(JSON.stringify({ name, ours: rounded(ours), peer: rounded(peer), peerName, unit, ratio: rounded(ratio) })),
  skip: ({ name }, reason) => console.error(`${name} skipped: ${reason}`),
};

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}

function line(ours: number, peer: number, ratio: number, unit: string): string {
  return `${ours.toFixed(2).padStart(7)} ${unit}  ${peer.toFixed(2).padStart(7)} ${unit}   ratio ${ratio.toFixed(2).padStart(5)}`;
}

// Servers and watchdogs are unreferenced children: without this the process would end while it waits for one of them.
const alive = setInterval(() => undefined, 60_000);
main()
  .catch((cause: unknown) => {
    console.error(`bench: ${cause instanceof Error ? cause.message : cause}`);
    process.exitCode = 1;
  })
  .finally(() => clearInterval(alive));
