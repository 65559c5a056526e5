import type { PrecheckItem } from "../../../engine/models/plan.js";
import { precheckItem } from "../../postgres/precheck/precheckItem.js";
import type { PolardbTraits } from "../traits.js";

const NAMES: Readonly<Record<PolardbTraits["edition"], string>> = {
  "polardb-o": "PolarDB for PostgreSQL (Compatible with Oracle)",
  "polardb-postgresql": "PolarDB for PostgreSQL",
  postgresql: "PostgreSQL",
};

/** Whether the server is what its endpoint says. It may go on as something else: it is treated as what it answers. */
export function editionItem(item: "sourceEdition" | "targetEdition", traits: PolardbTraits): PrecheckItem {
  const side = item === "sourceEdition" ? "source" : "target";
  const found = `${NAMES[traits.edition]}${traits.release === undefined ? "" : ` ${traits.release}`}, on PostgreSQL ${traits.major}`;
  const oracle = traits.edition === "polardb-o";
  const oldEnough = traits.major >= 11;
  return precheckItem({
    item,
    passed: oracle && oldEnough,
    ignorable: oldEnough,
    message: oracle || !oldEnough ? `the ${side} is ${found}` : `the ${side} is ${found}, not PolarDB O`,
    remedy: oldEnough ? 'name the engine it is ("postgresql"), or accept that it is treated as that' : "upgrade the cluster",
  });
}
