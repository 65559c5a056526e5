import { type CustomResourceOptions, dynamic, type Output } from "@pulumi/pulumi";
import type { SequenceSyncOutputs } from "../provider/contract/types.js";
import type { SequenceSyncArgs } from "./args.js";
import { connection } from "./connection.js";
import { shim } from "./shim.js";

const provider = shim("SequenceSync");

/** Moves the target's sequences up to the source's; never backwards. */
export class SequenceSync extends dynamic.Resource {
  declare readonly source: Output<SequenceSyncOutputs["source"]>;
  declare readonly target: Output<SequenceSyncOutputs["target"]>;
  /** The target's sequences as the last sync left them. */
  declare readonly sequences: Output<SequenceSyncOutputs["sequences"]>;
  declare readonly margin: Output<SequenceSyncOutputs["margin"]>;
  declare readonly triggers: Output<SequenceSyncOutputs["triggers"]>;
  declare readonly selection: Output<SequenceSyncOutputs["selection"]>;
  declare readonly behind: Output<SequenceSyncOutputs["behind"]>;

  constructor(name: string, args: SequenceSyncArgs, opts?: CustomResourceOptions) {
    const outputs = { sequences: undefined, margin: undefined, selection: undefined, behind: undefined };
    const inputs = { ...args, source: connection(args.source), target: connection(args.target) };
    super(provider, name, { ...outputs, ...inputs }, opts, "godwit", "SequenceSync");
  }
}
