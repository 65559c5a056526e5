import { type CustomResourceOptions, dynamic, getProject, getStack, type Output } from "@pulumi/pulumi";
import { defaultTaskName } from "../provider/contract/defaultNames.js";
import type { MigrationTaskOutputs } from "../provider/contract/types.js";
import { secretAlerts } from "./alerts.js";
import type { MigrationTaskArgs } from "./args.js";
import { connection } from "./connection.js";
import { shim } from "./shim.js";

const provider = shim("MigrationTask");

/** Moves one database to another: structures, rows, and changes from then on. */
export class MigrationTask extends dynamic.Resource {
  declare readonly source: Output<MigrationTaskOutputs["source"]>;
  declare readonly target: Output<MigrationTaskOutputs["target"]>;
  declare readonly migrationTypes: Output<MigrationTaskOutputs["migrationTypes"]>;
  declare readonly objects: Output<MigrationTaskOutputs["objects"]>;
  declare readonly operations: Output<MigrationTaskOutputs["operations"]>;
  declare readonly conflictMode: Output<MigrationTaskOutputs["conflictMode"]>;
  declare readonly capitalization: Output<MigrationTaskOutputs["capitalization"]>;
  declare readonly retry: Output<MigrationTaskOutputs["retry"]>;
  declare readonly throttle: Output<MigrationTaskOutputs["throttle"]>;
  declare readonly parallelism: Output<MigrationTaskOutputs["parallelism"]>;
  declare readonly kafka: Output<MigrationTaskOutputs["kafka"]>;
  declare readonly analyticdb: Output<MigrationTaskOutputs["analyticdb"]>;
  declare readonly dataValidation: Output<MigrationTaskOutputs["dataValidation"]>;
  declare readonly alerts: Output<MigrationTaskOutputs["alerts"]>;
  declare readonly taskName: Output<MigrationTaskOutputs["taskName"]>;
  declare readonly slotName: Output<MigrationTaskOutputs["slotName"]>;
  declare readonly startPosition: Output<MigrationTaskOutputs["startPosition"]>;
  declare readonly ignorePrechecks: Output<MigrationTaskOutputs["ignorePrechecks"]>;
  declare readonly desiredState: Output<MigrationTaskOutputs["desiredState"]>;
  declare readonly waitFor: Output<MigrationTaskOutputs["waitFor"]>;
  declare readonly taskId: Output<MigrationTaskOutputs["taskId"]>;
  declare readonly state: Output<MigrationTaskOutputs["state"]>;
  declare readonly phase: Output<MigrationTaskOutputs["phase"]>;
  declare readonly prechecks: Output<MigrationTaskOutputs["prechecks"]>;
  declare readonly skippedObjects: Output<MigrationTaskOutputs["skippedObjects"]>;
  declare readonly errors: Output<MigrationTaskOutputs["errors"]>;

  /** Without a `taskName` the task's is made of project, stack and the resource's name. */
  constructor(name: string, args: MigrationTaskArgs, opts?: CustomResourceOptions) {
    const outputs = {
      taskId: undefined,
      state: undefined,
      phase: undefined,
      conflictMode: undefined,
      capitalization: undefined,
      desiredState: undefined,
      slotName: undefined,
      startPosition: undefined,
      prechecks: undefined,
      skippedObjects: undefined,
      errors: undefined,
    };
    const taskName = args.taskName ?? defaultTaskName(getProject(), getStack(), name);
    const alerts = args.alerts === undefined ? {} : { alerts: secretAlerts(args.alerts) };
    const inputs = { ...args, ...alerts, taskName, source: connection(args.source), target: connection(args.target) };
    super(provider, name, { ...outputs, ...inputs }, opts, "godwit", "MigrationTask");
  }
}
