import type { ApplyTable } from "./applyTable.js";
import { binaryCopy, textCopy } from "./copyEncoding.js";
import { KeyedBatch } from "./keyedBatch.js";
import type { RowSet } from "./rowSet.js";
import type { Stages } from "./stages.js";
import {
  allPlaces,
  copyToMoveStage,
  copyToStage,
  copyToTarget,
  createMoveStage,
  createStage,
  deleteEmptyRows,
  deleteFromStage,
  deleteWholeRows,
  insertEmptyRows,
  insertFromStage,
  moveFromStage,
  updateFromStage,
} from "./statements.js";
import type { WholeRowBatch } from "./wholeRowBatch.js";

/** A message to the target: statements, and the data of their COPYs in the same order. */
export interface Message {
  readonly statements: string[];
  readonly copies: Buffer[];
}

export interface BatchRules {
  readonly binary: boolean;
  /** Inserted rows may be there already and updated ones may be missing: the source's row wins. */
  readonly overwrite: boolean;
  /** A row that is updated and not found is an error. */
  readonly rowsMustExist: boolean;
  /** The same for a deleted one: without it, the target's own triggers and cascades may have come first. */
  readonly deletedMustExist: boolean;
  /** Where the target's member of the family has its own way. */
  readonly sql?: { readonly addBatch: typeof addBatch };
}

/**
 * Empties a table's batch into a message. Deletes go first, then rows that take another key, and inserts last: within a batch a unique value can only move from a row that
 * gives it up to one that takes it. (Two rows that swap one in updates fail here, and pass in careful mode.)
 */
export function addBatch(
  message: Message,
  table: ApplyTable,
  serial: number,
  batch: KeyedBatch | WholeRowBatch,
  stages: Stages,
  rules: BatchRules,
): void {
  const encoding = rules.binary ? binaryCopy : textCopy;
  const { statements, copies } = message;
  const stage = (role: string, places: readonly number[], rows: RowSet): string => {
    const { name, statements: prepare } = stages.use(`${serial}${role}`, (made) =>
      createStage(table, made, role === "d" ? table.key : allPlaces(table)),
    );
    statements.push(...prepare, copyToStage(name, places, rules.binary));
    copies.push(...rows.take(encoding));
    return name;
  };

  if (batch instanceof KeyedBatch) {
    const deleted = batch.deletes.rows;
    if (deleted > 0)
      statements.push(deleteFromStage(table, stage("d", table.key, batch.deletes), rules.deletedMustExist ? deleted : undefined));
    for (const { places, rows } of batch.moves.values()) {
      const moved = rows.rows;
      if (moved === 0) continue;
      const { name, statements: prepare } = stages.use(`${serial}m`, (made) => createMoveStage(table, made));
      statements.push(...prepare, copyToMoveStage(table, name, places, rules.binary));
      copies.push(...rows.take(encoding));
      statements.push(moveFromStage(table, name, places, rules.rowsMustExist ? moved : undefined));
      if (rules.overwrite && places.length === table.columns.length) statements.push(insertFromStage(table, name, true));
    }
    for (const { places, rows } of batch.groups) {
      const updated = rows.rows;
      if (updated === 0) continue;
      const name = stage("u", places, rows);
      const update = updateFromStage(table, name, places, rules.rowsMustExist ? updated : undefined);
      if (update) statements.push(update);
      if (rules.overwrite && places.length === table.columns.length) statements.push(insertFromStage(table, name, true));
    }
  } else {
    batch.settle();
    const deleted = batch.deletes.rows;
    const expected = rules.deletedMustExist ? deleted : undefined;
    if (deleted > 0 && table.columns.length === 0) statements.push(deleteEmptyRows(table, deleted, expected));
    else if (deleted > 0) statements.push(...deleteWholeRows(table, stage("w", allPlaces(table), batch.deletes), expected));
  }

  const inserted = batch.inserts.rows;
  if (inserted > 0) {
    const overwrite = rules.overwrite && table.key.length > 0;
    if (table.columns.length === 0) statements.push(insertEmptyRows(table, inserted));
    else if (overwrite || table.columns.some(({ direct }) => !direct)) {
      const name = stage("i", allPlaces(table), batch.inserts);
      const update = overwrite ? updateFromStage(table, name, allPlaces(table), undefined) : undefined;
      if (update) statements.push(update);
      statements.push(insertFromStage(table, name, overwrite));
    } else {
      statements.push(copyToTarget(table, rules.binary));
      copies.push(...batch.inserts.take(encoding));
    }
  }
  batch.clear();
}
