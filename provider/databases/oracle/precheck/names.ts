import type { PlannedTable, PrecheckItem } from "../../../engine/models/plan.js";
import { listed, precheckItem } from "../../postgres/precheck/precheckItem.js";
import { naturalName } from "../catalog/naturalName.js";

/** PostgreSQL keeps 63 bytes of a name. */
export function longNames(tables: readonly PlannedTable[]): PrecheckItem {
  const names = new Set(tables.flatMap(({ source, columns }) => [source.name, ...columns.map((column) => column.source)]));
  const shortened = [...names].filter((name) => Buffer.byteLength(name) > 63);
  return precheckItem({
    item: "nameLength",
    severity: "warning",
    passed: shortened.length === 0,
    message:
      shortened.length === 0
        ? "every name fits PostgreSQL's 63 bytes"
        : `${listed(shortened.map((name) => `${name} becomes ${naturalName(name)}`))}, since PostgreSQL keeps 63 bytes of a name`,
    remedy: "give them a rename of your own in objects",
  });
}

/** From 12.2 on names may have 128 bytes; LogMiner shows no changes of tables where one has more than it had before. */
const LOGMINER_BYTES = 30;

/**
 * Whether LogMiner reads the tables by their names. All columns of a table count, also those that do not move. (Debezium leaves such tables out with the
 * message "won't be captured by Oracle LogMiner because its name exceeds 30 characters"; the seeding service names the same limit.)
 */
export function logMinerNames(tables: readonly PlannedTable[]): PrecheckItem {
  const long = tables.flatMap(({ source, columns, leftOut }) =>
    [source.name, ...columns.map((column) => column.source), ...leftOut]
      .filter((name) => Buffer.byteLength(name) > LOGMINER_BYTES)
      .map((name) => `${source.schema}.${source.name}${name === source.name ? "" : `.${name}`}`),
  );
  return precheckItem({
    item: "sourceLogMinerNames",
    passed: long.length === 0,
    ignorable: true,
    message:
      long.length === 0
        ? "every table and column has a name that LogMiner takes"
        : `LogMiner shows no changes of tables where a name has more than ${LOGMINER_BYTES} bytes: ${listed(long)}`,
    remedy:
      "rename them at the source, or leave these tables to a task without incremental; accept it only for a release whose LogMiner was seen to show them",
  });
}
