import type { Expression, SortKey } from "./expression.js";

/** SELECT with everything around it: WITH, set operations, ORDER BY, row limits and FOR UPDATE. */
export interface Query {
  readonly with: readonly CommonTable[];
  readonly body: QueryBody;
  readonly order: readonly SortKey[];
  /** ORDER SIBLINGS BY. */
  readonly siblings: boolean;
  readonly offset?: Expression;
  readonly fetch?: { readonly rows: Expression; readonly percent: boolean; readonly ties: boolean };
  readonly lock?: { readonly of: readonly (readonly string[])[]; readonly wait: string };
  readonly line: number;
}

export interface CommonTable {
  readonly name: string;
  readonly columns: readonly string[];
  readonly query: Query;
  readonly search?: { readonly depth: boolean; readonly by: readonly string[]; readonly set: string };
  readonly cycle?: {
    readonly columns: readonly string[];
    readonly set: string;
    readonly to: Expression;
    readonly otherwise: Expression;
  };
}

export type QueryBody =
  | { readonly kind: "select"; readonly select: Select }
  | { readonly kind: "set"; readonly operator: string; readonly left: QueryBody; readonly right: QueryBody }
  | { readonly kind: "nested"; readonly query: Query };

export interface SelectItem {
  readonly value: Expression;
  readonly alias?: string;
}

export interface Select {
  readonly distinct: boolean;
  readonly items: readonly SelectItem[];
  readonly bulk: boolean;
  readonly into: readonly Expression[];
  readonly from: readonly TableItem[];
  readonly where?: Expression;
  readonly connectBy?: { readonly start?: Expression; readonly condition: Expression; readonly nocycle: boolean };
  readonly group: readonly GroupItem[];
  readonly having?: Expression;
  readonly line: number;
}

export type GroupItem =
  | { readonly kind: "value"; readonly value: Expression }
  | { readonly kind: "sets"; readonly word: string; readonly items: readonly GroupItem[] }
  | { readonly kind: "empty" };

export type TableItem =
  | {
      readonly kind: "table";
      readonly name: readonly string[];
      readonly link?: string;
      readonly partition?: string;
      readonly sample?: Expression;
      readonly alias?: string;
      readonly line: number;
    }
  | { readonly kind: "query"; readonly query: Query; readonly lateral: boolean; readonly alias?: string; readonly line: number }
  /** TABLE(collection), a function that returns one, XMLTABLE, JSON_TABLE. */
  | {
      readonly kind: "function";
      readonly call: Expression;
      readonly outer: boolean;
      readonly alias?: string;
      readonly columns?: readonly string[];
      readonly line: number;
    }
  | {
      readonly kind: "join";
      readonly left: TableItem;
      readonly right: TableItem;
      readonly type: string;
      readonly on?: Expression;
      readonly using: readonly string[];
    }
  | {
      readonly kind: "pivot";
      readonly source: TableItem;
      readonly aggregates: readonly SelectItem[];
      readonly by: readonly string[];
      readonly values: readonly SelectItem[];
      readonly alias?: string;
      readonly line: number;
    }
  | {
      readonly kind: "unpivot";
      readonly source: TableItem;
      readonly nulls: boolean;
      readonly value: string;
      readonly by: string;
      readonly columns: readonly { readonly name: string; readonly label?: Expression }[];
      readonly alias?: string;
      readonly line: number;
    };

/** One changed column of UPDATE and MERGE, or several at once from a row. */
export interface SetItem {
  readonly columns: readonly (readonly string[])[];
  readonly value: Expression;
}

export interface Returning {
  readonly values: readonly Expression[];
  readonly bulk: boolean;
  readonly into: readonly Expression[];
}

export interface InsertTarget {
  readonly table: readonly string[];
  readonly link?: string;
  readonly alias?: string;
  readonly columns: readonly string[];
  readonly values?: readonly Expression[];
  /** VALUES record: one record variable in place of a list. */
  readonly record?: Expression;
}

export type Dml =
  | {
      readonly kind: "insert";
      readonly target: InsertTarget;
      readonly query?: Query;
      readonly returning?: Returning;
      readonly line: number;
    }
  | {
      readonly kind: "insertAll";
      readonly first: boolean;
      readonly branches: readonly {
        readonly when?: Expression;
        readonly otherwise: boolean;
        readonly targets: readonly InsertTarget[];
      }[];
      readonly query: Query;
      readonly line: number;
    }
  | {
      readonly kind: "update";
      readonly table: readonly string[];
      readonly alias?: string;
      readonly set: readonly SetItem[];
      readonly row?: Expression;
      readonly where?: Expression;
      readonly current?: readonly string[];
      readonly returning?: Returning;
      readonly line: number;
    }
  | {
      readonly kind: "delete";
      readonly table: readonly string[];
      readonly alias?: string;
      readonly where?: Expression;
      readonly current?: readonly string[];
      readonly returning?: Returning;
      readonly line: number;
    }
  | {
      readonly kind: "merge";
      readonly table: readonly string[];
      readonly alias?: string;
      readonly source: TableItem;
      readonly on: Expression;
      readonly update?: { readonly set: readonly SetItem[]; readonly where?: Expression; readonly delete?: Expression };
      readonly insert?: {
        readonly columns: readonly string[];
        readonly values: readonly Expression[];
        readonly where?: Expression;
      };
      readonly line: number;
    };
