import { ident } from "../../postgres/sql.js";
import { naturalName } from "../catalog/naturalName.js";
import { type ConversionContext, convertDdl } from "../convert/convertDdl.js";
import type { DdlChange } from "../logMiner/emitTransaction.js";
import { inSchema } from "../schema/planSchema.js";
import { type NamesOnTarget, spelledForTarget, Unspellable } from "./ddlText.js";

export interface StatementOnTarget {
  readonly sql: readonly string[];
  /** What takes an object of this name away, where it may have to be made anew; empty for others. */
  readonly drop: readonly string[];
}

export interface ConvertedChange {
  readonly statements: readonly StatementOnTarget[];
  readonly skipped: readonly { readonly reason: string }[];
}

/** DDL of the source as statements of the target, under the target's names. Routines find their owner's names, as those of the schema phase do. */
export function convertStatement(change: DdlChange, names: NamesOnTarget, context: ConversionContext): ConvertedChange {
  let text: string;
  try {
    text = spelledForTarget(withoutRecycleBin(change.sql), change.owner, names);
  } catch (cause) {
    if (cause instanceof Unspellable) return { statements: [], skipped: [{ reason: cause.message }] };
    throw cause;
  }
  const conversion = convertDdl(`${text}\n/\n`, { context });
  const path = `${ident(names.schema(change.owner) ?? naturalName(change.owner))}, public`;
  return {
    statements: [
      { sql: conversion.support, drop: [] },
      ...conversion.statements.map(({ sql }) => ({
        sql: sql.map((statement) => inSchema(statement, path)),
        drop: sql.flatMap(dropOf),
      })),
    ],
    skipped: conversion.skipped,
  };
}

/** `drop table t AS "BIN$..."`: where the table went. */
function withoutRecycleBin(sql: string): string {
  return sql.replace(/\s+as\s+"BIN\$[^"]*"\s*;?\s*$/i, "");
}

const REPLACED =
  /^CREATE OR REPLACE (VIEW|FUNCTION|PROCEDURE) ((?:"(?:[^"]|"")+"|[\p{L}\p{N}_$]+)(?:\.(?:"(?:[^"]|"")+"|[\p{L}\p{N}_$]+))?)/u;

/** A function is dropped by its name alone: Oracle's schemas hold one of a name. */
function dropOf(statement: string): readonly string[] {
  const [, kind = "", name = ""] = REPLACED.exec(statement) ?? [];
  return kind === "" ? [] : [`DROP ${kind} IF EXISTS ${name}`];
}
