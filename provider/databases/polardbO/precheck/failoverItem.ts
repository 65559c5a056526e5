import type { PrecheckItem } from "../../../engine/models/plan.js";
import { precheckItem } from "../../postgres/precheck/precheckItem.js";
import type { PolardbTraits } from "../traits.js";

/** Whether the slot outlives a failover of the source ("Logical replication slot failover"). */
export function failoverItem({ slotFailover, release, edition }: PolardbTraits): PrecheckItem {
  const passed = slotFailover === "sync" || slotFailover === "async";
  return precheckItem({
    item: "sourceSlotFailover",
    severity: "warning",
    passed: passed || edition === "postgresql",
    message: MESSAGES[slotFailover](release),
    remedy:
      slotFailover === "off"
        ? "set polar_failover_slot_mode to sync in the cluster's parameters"
        : release === "2.0"
          ? "Oracle-compatible 2.0 may not have it: after a failover the task fails with GW1701 and has to copy again (destroy it, then up); migrate in a window without planned switchovers"
          : "upgrade the cluster: 1.0 has it from minor version 1.1.27 on (SHOW polar_version)",
  });
}

const MESSAGES: Readonly<Record<PolardbTraits["slotFailover"], (release: string | undefined) => string>> = {
  sync: () =>
    "a failover takes the slot along, and never loses a change that was already applied (polar_failover_slot_mode = sync)",
  async: () =>
    "a failover takes the slot along; changes that the new primary lost may have been applied already (polar_failover_slot_mode = async, the default; sync rules it out)",
  off: () => "polar_failover_slot_mode is off: a failover of the source loses the slot",
  unknown: (release) =>
    release === undefined
      ? "the slot stays on this server"
      : `the source (${release}) has no polar_failover_slot_mode: a failover of the source may lose the slot`,
};
