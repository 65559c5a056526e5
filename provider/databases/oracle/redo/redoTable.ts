import type { StreamedTable } from "../../../engine/models/change.js";

/**
 * What a column's literals mean in redo. `other` covers what LogMiner cannot print (object types, BFILE, SDO_GEOMETRY): its values are
 * looked up in the table.
 */
export type RedoKind =
  | "text"
  | "number"
  | "float"
  | "date"
  | "timestamp"
  | "timestampTz"
  | "timestampLtz"
  | "yearToMonth"
  | "dayToSecond"
  | "bytes"
  | "clob"
  | "blob"
  | "xml"
  /** From 21c on a binary form of Oracle's own (OSON), which redo shows as bytes: looked up in the table. */
  | "json"
  | "other";

export interface RedoColumn {
  readonly name: string;
  readonly kind: RedoKind;
  /** Part of the key that changes name their row by. */
  readonly partOfKey: boolean;
  /** NVARCHAR2, NCHAR or NCLOB: its bytes are UTF-16, whatever the database's character set. */
  readonly national?: boolean;
}

export interface RedoTableInputs {
  /** The plan's id of the table (OBJECT_ID). */
  readonly id: number;
  readonly owner: string;
  readonly name: string;
  /**
   * Every stored column of the table in the order of its rows (SEGMENT_COLUMN_ID), also those that are not migrated or hidden: a change from
   * before a change of structure names them "COL 1", "COL 2" by that order, because the dictionary does not know it any more.
   */
  readonly columns: readonly RedoColumn[];
  /** Rows are known by all their values: the table has no usable key and logs all columns. */
  readonly fullIdentity: boolean;
  /** SCN from which on `columns` have this order. Default 0. */
  readonly placesSince?: bigint;
  /** Its rows lie in the primary key's index and have no row ids in redo. Default false. */
  readonly indexOrganized?: boolean;
}

/** PostgreSQL numbers its own types below this; nothing of Oracle's is one of them, so the applier goes by the text. */
const NO_TYPE = 1 << 20;

/** A table as the scanner needs it: its columns' names as the bytes that stand in the redo. */
export class RedoTable {
  readonly id: number;
  readonly owner: string;
  readonly name: string;
  readonly columns: readonly RedoColumn[];
  readonly fullIdentity: boolean;
  readonly indexOrganized: boolean;
  /** `"NAME"`, quotes included, in UTF-8. */
  readonly names: readonly Buffer[];
  /** Places of the LOB columns (CLOB, BLOB, XML). */
  readonly lobs: readonly number[];
  /** The column list of the insert that was read last, from its `(` to the `)`, and the places it means. */
  insertHeader:
    | { readonly bytes: Buffer; readonly places: Int32Array; readonly inOrder: boolean; readonly byPlace: boolean }
    | undefined;
  /** Redo from before this SCN that names columns by place can't be read: their order then is not known. */
  readonly placesSince: bigint;

  constructor(inputs: RedoTableInputs) {
    this.id = inputs.id;
    this.owner = inputs.owner;
    this.name = inputs.name;
    this.columns = inputs.columns;
    this.fullIdentity = inputs.fullIdentity;
    this.indexOrganized = inputs.indexOrganized ?? false;
    this.placesSince = inputs.placesSince ?? 0n;
    this.names = inputs.columns.map(({ name }) => Buffer.from(`"${name}"`));
    this.lobs = inputs.columns.flatMap(({ kind }, place) => (isLob(kind) ? [place] : []));
  }

  /** As the applier hears of it. */
  streamed(): StreamedTable {
    return {
      id: this.id,
      schema: this.owner,
      name: this.name,
      columns: this.columns.map(({ name, partOfKey }) => ({ name, partOfKey, typeId: NO_TYPE })),
      fullIdentity: this.fullIdentity,
    };
  }

  /** The place of a column, -1 when the table has none of that name. */
  place(name: string): number {
    return this.columns.findIndex((column) => column.name === name);
  }
}

export function isLob(kind: RedoKind): boolean {
  return kind === "clob" || kind === "blob" || kind === "xml" || kind === "json";
}
