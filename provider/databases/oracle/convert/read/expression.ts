import type { DataType } from "./dataType.js";
import type { Query } from "./query.js";

/** An argument of a call; `name` for named notation (name => value). */
export interface Argument {
  readonly name?: string;
  readonly value: Expression;
}

export interface SortKey {
  readonly value: Expression;
  /** " DESC NULLS LAST" and the like: the same in both databases. */
  readonly direction: string;
}

export interface WindowSpec {
  readonly partition: readonly Expression[];
  readonly order: readonly SortKey[];
  /** ROWS or RANGE BETWEEN ...; its bounds are expressions. */
  readonly frame: readonly (string | Expression)[];
}

/** What may follow the brackets of an aggregate or analytic function. */
export interface CallTail {
  distinct?: boolean;
  /** ORDER BY inside the brackets (XMLAGG, COLLECT). */
  order?: readonly SortKey[];
  withinGroup?: readonly SortKey[];
  keep?: { readonly last: boolean; readonly order: readonly SortKey[] };
  over?: WindowSpec;
  nulls?: "IGNORE" | "RESPECT";
  /** DEFAULT ... ON CONVERSION ERROR behind the value that TO_NUMBER, TO_DATE and the like convert. */
  otherwise?: Expression;
  /** Function syntax with words between its arguments (XMLELEMENT, JSON_TABLE ...): pieces in the order of the source. */
  pieces?: readonly (string | Expression)[];
}

export type Literal = "string" | "number" | "null" | "boolean" | "date" | "timestamp" | "interval";

type Kinds = {
  literal: { readonly type: Literal; readonly value: string };
  /** a.b.c, not yet resolved; outer: with (+); link: @name. */
  name: { readonly parts: readonly string[]; readonly outer: boolean; readonly link?: string };
  /** :new.x, :old.x or a bind variable. */
  bind: { readonly name: string; readonly field?: string };
  /** $$name. */
  inquiry: { readonly name: string };
  call: { readonly callee: Expression; readonly args: readonly Argument[]; readonly tail: CallTail; readonly outer: boolean };
  /** .name behind a call or a bracket. */
  member: { readonly of: Expression; readonly name: string };
  /** cursor%FOUND. */
  attribute: { readonly of: Expression; readonly name: string };
  unary: { readonly operator: string; readonly operand: Expression };
  binary: { readonly operator: string; readonly left: Expression; readonly right: Expression };
  paren: { readonly inner: Expression };
  between: { readonly value: Expression; readonly low: Expression; readonly high: Expression; readonly negated: boolean };
  in: { readonly value: Expression; readonly items: readonly Expression[] | Query; readonly negated: boolean };
  like: { readonly value: Expression; readonly pattern: Expression; readonly escape?: Expression; readonly negated: boolean };
  /** IS NULL, IS EMPTY, IS A SET, IS NAN, IS OF (types) ...; test without NOT. */
  is: { readonly value: Expression; readonly test: string; readonly types?: readonly DataType[]; readonly negated: boolean };
  case: { readonly subject?: Expression; readonly branches: readonly CaseBranch[]; readonly otherwise?: Expression };
  /** otherwise: DEFAULT ... ON CONVERSION ERROR. */
  cast: { readonly value: Expression; readonly type: DataType; readonly otherwise?: Expression };
  /** VALIDATE_CONVERSION(value AS type, format). */
  validation: { readonly value: Expression; readonly type: DataType; readonly format?: Expression };
  multisetCast: { readonly query: Query; readonly type: DataType };
  extract: { readonly field: string; readonly from: Expression };
  trim: { readonly side: string; readonly characters?: Expression; readonly from: Expression };
  exists: { readonly query: Query };
  subquery: { readonly query: Query };
  /** CURSOR(query). */
  cursor: { readonly query: Query };
  /** (a, b). */
  list: { readonly items: readonly Expression[] };
  star: { readonly of: readonly string[] };
  /** a MULTISET UNION [ALL | DISTINCT] b. */
  multiset: { readonly operator: string; readonly distinct: boolean; readonly left: Expression; readonly right: Expression };
  /** value MEMBER OF collection, SUBMULTISET OF. */
  membership: { readonly submultiset: boolean; readonly value: Expression; readonly of: Expression; readonly negated: boolean };
  quantified: { readonly quantifier: string; readonly items: readonly Expression[] | Query };
  /** value AT TIME ZONE zone; AT LOCAL without one. */
  atZone: { readonly value: Expression; readonly zone?: Expression };
};

export interface CaseBranch {
  readonly when: Expression;
  readonly value: Expression;
}

export type ExpressionOf<K extends keyof Kinds> = { readonly kind: K; readonly line: number } & Kinds[K];
export type Expression = { [K in keyof Kinds]: ExpressionOf<K> }[keyof Kinds];
