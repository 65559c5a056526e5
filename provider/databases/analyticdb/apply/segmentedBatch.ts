import type { ApplyTable } from "../../postgres/apply/applyTable.js";
import type { addBatch, BatchRules } from "../../postgres/apply/batchStatements.js";
import { binaryCopy, type RowEncoding, textCopy } from "../../postgres/apply/copyEncoding.js";
import { KeyedBatch } from "../../postgres/apply/keyedBatch.js";
import { allPlaces, copyToMoveStage, copyToStage, copyToTarget, insertEmptyRows } from "../../postgres/apply/statements.js";
import { exactCopy, exactFormsOf } from "../exactFloats.js";
import type { SegmentedServer } from "../serverKind.js";
import {
  createSegmentedStage,
  deleteSegmentedEmptyRows,
  deleteSegmentedRows,
  deleteSegmentedWholeRows,
  deleteStagedRows,
  insertStagedRows,
  replaceStagedRows,
} from "./segmentedStatements.js";

/**
 * Empties a table's batch into a message, for a target whose rows lie on many segments. Rows travel once, by COPY, into stages that are distributed as
 * the target's table is, so that each segment joins its own; then one statement a kind of change. An updated row is deleted and inserted again,
 * whole: every storage engine has those two, and a row that moves to another segment is no special case.
 * `heap`: the storage clause of the stages; `major`: the kernel's.
 */
export function segmentedBatch(heap: string, major: SegmentedServer["major"]): typeof addBatch {
  return (message, table, serial, batch, stages, rules) => {
    const forms = rules.binary || major > 6 ? undefined : exactFormsOf(table);
    const encode: Encode = (places) => {
      if (rules.binary) return binaryCopy;
      return forms ? exactCopy(places.map((place) => forms[place])) : textCopy;
    };
    const { statements, copies } = message;
    const stage = (role: string, places: readonly number[], old: boolean): string => {
      const { name, statements: prepare } = stages.use(`${serial}${role}`, (made) =>
        createSegmentedStage(table, made, role === "d" ? table.key : allPlaces(table), old, heap),
      );
      statements.push(
        ...prepare,
        old ? copyToMoveStage(table, name, places, rules.binary) : copyToStage(name, places, rules.binary),
      );
      return name;
    };

    if (batch instanceof KeyedBatch) {
      addKeyed(message, table, batch, rules, { stage, encode });
    } else {
      batch.settle();
      const deleted = batch.deletes.rows;
      const expected = rules.deletedMustExist ? deleted : undefined;
      if (deleted > 0 && table.columns.length === 0) statements.push(deleteSegmentedEmptyRows(table, deleted, expected));
      else if (deleted > 0) {
        const name = stage("w", allPlaces(table), false);
        copies.push(...batch.deletes.take(encode(allPlaces(table))));
        statements.push(...deleteSegmentedWholeRows(table, name, expected));
      }
    }

    const inserted = batch.inserts.rows;
    if (inserted > 0) {
      if (table.columns.length === 0) statements.push(insertEmptyRows(table, inserted));
      else if (rules.overwrite && table.key.length > 0) {
        const name = stage("i", allPlaces(table), false);
        copies.push(...batch.inserts.take(encode(allPlaces(table))));
        statements.push(deleteSegmentedRows(table, name, "c", undefined), insertStagedRows(table, name));
      } else {
        statements.push(copyToTarget(table, rules.binary));
        copies.push(...batch.inserts.take(encode(allPlaces(table))));
      }
    }
    batch.clear();
  };
}

/** Places of the table's columns to what rows of those are sent in. */
type Encode = (places: readonly number[]) => RowEncoding;

/** Deletes first, then rows that take another key, then updates: as on PostgreSQL, a unique value moves only from a row that gives it up. */
function addKeyed(
  { statements, copies }: { readonly statements: string[]; readonly copies: Buffer[] },
  table: ApplyTable,
  batch: KeyedBatch,
  rules: BatchRules,
  { stage, encode }: { stage(role: string, places: readonly number[], old: boolean): string; encode: Encode },
): void {
  const deleted = batch.deletes.rows;
  if (deleted > 0) {
    const name = stage("d", table.key, false);
    copies.push(...batch.deletes.take(encode(table.key)));
    statements.push(deleteStagedRows(table, name, rules.deletedMustExist ? deleted : undefined));
  }
  for (const [role, old, groups] of [
    ["m", true, batch.moves.values()],
    ["u", false, batch.groups],
  ] as const) {
    for (const { places, rows } of groups) {
      const count = rows.rows;
      if (count === 0) continue;
      const name = stage(role, places, old);
      copies.push(...rows.take(encode(old ? [...places, ...table.key] : places)));
      statements.push(...replaceStagedRows(table, name, places, old ? "o" : "c", rules, count));
    }
  }
}
