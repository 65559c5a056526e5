#!/usr/bin/env node
import { parseArgs } from "node:util";

const USAGE = `godwit: what Godwit's migration tasks do on this machine

  godwit status [taskId] [--watch] [--json]   phase, rows and rates per table, lag
  godwit logs <taskId> [--follow] [--json]    the worker's log
  godwit precheck <file> [--json]             checks a task given as JSON, changes nothing ("-": standard input)
  godwit plan <file> [--json]                 tables and statements of a task given as JSON
  godwit convert [--kind KIND] <file>         Oracle DDL and PL/SQL to PostgreSQL SQL, with a report on standard error
  godwit worker <file>                        runs a recorded task in the foreground (container, service)

  --home DIR    local files of Godwit (default: GODWIT_HOME, else ~/.godwit)
  --target FILE for status: an endpoint as JSON, to read tasks of other machines from its godwit schema

The task as JSON is a MigrationTask's inputs, as in a program.`;

/** A command loads its own modules only: the drivers, schemas and protocols of all together add 0.2 seconds to each start. */
async function main(): Promise<number> {
  const [first, ...rest] = process.argv.slice(2);
  // Its options are its own.
  if (first === "convert") return (await import("./convert.js")).convertFile(rest);
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: "boolean", default: false },
      watch: { type: "boolean", default: false },
      follow: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
      home: { type: "string" },
      target: { type: "string" },
    },
  });
  const home = values.home ?? (await import("../runner/taskFiles.js")).godwitHome();
  const [command, argument] = positionals;
  if (command === "status") {
    const { showStatus } = await import("./status.js");
    return showStatus({ home, taskId: argument, target: values.target, watch: values.watch, json: values.json });
  }
  if (command === "logs" && argument)
    return (await import("./logs.js")).showLogs({ home, taskId: argument, follow: values.follow, json: values.json });
  if (command === "precheck" && argument) return (await import("./planned.js")).showPrecheck(argument, values.json);
  if (command === "plan" && argument) return (await import("./planned.js")).showPlan(argument, values.json);
  if (command === "worker" && argument) return (await import("./work.js")).workHere(argument, home);
  console[values.help ? "log" : "error"](USAGE);
  return values.help ? 0 : 2;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (cause: unknown) => {
    console.error(cause instanceof Error ? cause.message : String(cause));
    process.exitCode = 1;
  },
);
