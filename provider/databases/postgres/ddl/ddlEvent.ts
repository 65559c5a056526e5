import type { QualifiedName } from "../../../engine/models/catalog.js";
import { TupleKind } from "../../../engine/models/change.js";
import type { Structure } from "./structure.js";

/**
 * What the stream brings of a change of structure, in its place among the rows.
 * - `empty`, then the changes of one command, then for each of `ids` its deletes, `emptied` and its inserts: rows that the command made or
 *   rewrote, written again. A consumer that empties the tables at `empty` passes over the deletes.
 * - `change`: one object came, went or is another than it was.
 * - `refresh`: a materialized view was filled again.
 * - `failed`: the capture could not describe a change, or (class `rows`) not write rows again; the message is the source's.
 */
export type DdlEvent =
  | { readonly kind: "empty"; readonly ids: readonly number[] }
  | { readonly kind: "emptied"; readonly id: number }
  | {
      readonly kind: "change";
      readonly id: number;
      readonly command: DdlCommand;
      readonly before: Structure | undefined;
      readonly after: Structure | undefined;
      /** The tasks' publications that list it. */
      readonly published: readonly string[];
    }
  | { readonly kind: "refresh"; readonly command: DdlCommand; readonly view: QualifiedName }
  | {
      readonly kind: "failed";
      readonly id: number;
      readonly command: DdlCommand;
      readonly class: string;
      readonly name: string | undefined;
      readonly message: string;
    };

export interface DdlCommand {
  /** `ALTER TABLE` */
  readonly tag: string;
  /** The command as the user wrote it, where it stood alone: not in a function, not among others. */
  readonly statement: string | undefined;
}

/** The table that carries the events, as the stream names it. */
export const DDL_TABLE: QualifiedName = { schema: "godwit_capture", name: "ddl" };

export function isDdlTable({ schema, name }: QualifiedName): boolean {
  return schema === DDL_TABLE.schema && name === DDL_TABLE.name;
}

interface Written {
  readonly kind: "create" | "alter" | "drop" | "refresh" | "empty" | "emptied" | "failed";
  readonly id: number;
  readonly ids: readonly number[];
  readonly command: string;
  readonly statement: string | null;
  readonly before: Structure | null;
  readonly after: Structure | null;
  readonly published: readonly string[];
  readonly class: string;
  readonly name: string | null;
  readonly message: string;
}

/** The event in a row of DDL_TABLE: its second column, text in both of pgoutput's formats. `tuple`: the packed tuple's offset in `data`. */
export function readDdlEvent(data: Buffer, tuple: number): DdlEvent {
  let at = tuple + 2;
  for (let column = 0; ; column++) {
    const kind = data[at++];
    if (kind !== TupleKind.text && kind !== TupleKind.binary) continue;
    const length = data.readInt32BE(at);
    at += 4;
    if (column === 1) return event(JSON.parse(data.toString("utf8", at, at + length)) as Written);
    at += length;
  }
}

function event(written: Written): DdlEvent {
  const { kind, id } = written;
  const command = { tag: written.command, statement: written.statement ?? undefined };
  switch (kind) {
    case "empty":
      return { kind, ids: written.ids };
    case "emptied":
      return { kind, id };
    case "refresh":
      return { kind, command, view: written.after ?? { schema: "", name: "" } };
    case "failed":
      return { kind, id, command, class: written.class, name: written.name ?? undefined, message: written.message };
    default:
      return {
        kind: "change",
        id,
        command,
        before: written.before ?? undefined,
        after: written.after ?? undefined,
        published: written.published ?? [],
      };
  }
}
