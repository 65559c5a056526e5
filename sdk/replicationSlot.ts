import { type CustomResourceOptions, dynamic, type Output } from "@pulumi/pulumi";
import { defaultSlotName } from "../provider/contract/defaultNames.js";
import type { ReplicationSlotOutputs } from "../provider/contract/types.js";
import type { ReplicationSlotArgs } from "./args.js";
import { connection } from "./connection.js";
import { shim } from "./shim.js";

const provider = shim("ReplicationSlot");

/** A logical replication slot. It retains WAL until it is read or dropped. */
export class ReplicationSlot extends dynamic.Resource {
  declare readonly endpoint: Output<ReplicationSlotOutputs["endpoint"]>;
  declare readonly name: Output<ReplicationSlotOutputs["name"]>;
  declare readonly plugin: Output<ReplicationSlotOutputs["plugin"]>;
  declare readonly failover: Output<ReplicationSlotOutputs["failover"]>;
  declare readonly maxRetainedMegabytes: Output<ReplicationSlotOutputs["maxRetainedMegabytes"]>;
  declare readonly advanceTo: Output<ReplicationSlotOutputs["advanceTo"]>;
  declare readonly adopt: Output<ReplicationSlotOutputs["adopt"]>;
  declare readonly consistentPoint: Output<ReplicationSlotOutputs["consistentPoint"]>;
  declare readonly walStatus: Output<ReplicationSlotOutputs["walStatus"]>;

  /** Without a `name` the slot takes the resource's, as far as a slot's name can, after the prefix `godwit_`. */
  constructor(name: string, args: ReplicationSlotArgs, opts?: CustomResourceOptions) {
    const outputs = {
      plugin: undefined,
      failover: undefined,
      adopt: undefined,
      consistentPoint: undefined,
      walStatus: undefined,
    };
    const inputs = { ...args, name: args.name ?? defaultSlotName(name), endpoint: connection(args.endpoint) };
    super(provider, name, { ...outputs, ...inputs }, opts, "godwit", "ReplicationSlot");
  }
}
