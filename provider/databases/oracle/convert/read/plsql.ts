import type { DataType } from "./dataType.js";
import type { Expression } from "./expression.js";
import type { Dml, Query } from "./query.js";

export interface Parameter {
  readonly name: string;
  readonly mode: "IN" | "OUT" | "IN OUT";
  readonly type: DataType;
  readonly default?: Expression;
}

export type TypeDefinition =
  | {
      readonly kind: "record";
      readonly fields: readonly { readonly name: string; readonly type: DataType; readonly default?: Expression }[];
    }
  | { readonly kind: "table"; readonly element: DataType; readonly index?: DataType }
  | { readonly kind: "varray"; readonly element: DataType; readonly limit: string }
  | { readonly kind: "cursor" }
  | { readonly kind: "subtype"; readonly base: DataType; readonly range?: readonly [Expression, Expression] };

export type Declaration =
  | {
      readonly kind: "variable";
      readonly name: string;
      readonly type: DataType;
      readonly constant: boolean;
      readonly initial?: Expression;
      readonly line: number;
      readonly comments: readonly string[];
    }
  | {
      readonly kind: "cursor";
      readonly name: string;
      readonly parameters: readonly Parameter[];
      readonly query?: Query;
      /** Why the query could not be read. */
      readonly problem?: string;
      readonly line: number;
    }
  | { readonly kind: "exception"; readonly name: string; readonly line: number }
  | { readonly kind: "exceptionCode"; readonly name: string; readonly code: number; readonly line: number }
  | { readonly kind: "type"; readonly name: string; readonly definition: TypeDefinition; readonly line: number }
  | { readonly kind: "routine"; readonly routine: Routine; readonly line: number };

export interface Routine {
  readonly kind: "function" | "procedure";
  readonly name: readonly string[];
  readonly parameters: readonly Parameter[];
  readonly returns?: DataType;
  readonly traits: RoutineTraits;
  /** Absent for a declaration without its body. */
  readonly block?: Block;
  readonly line: number;
  readonly comments: readonly string[];
}

export interface RoutineTraits {
  deterministic?: boolean;
  pipelined?: boolean;
  authid?: "DEFINER" | "CURRENT_USER";
  macro?: "TABLE" | "SCALAR";
  /** Why it has no body in PL/SQL: an external library, an aggregate type, a polymorphic table function. */
  foreign?: string;
  /** AGGREGATE USING: the type whose methods gather and give the result. */
  aggregate?: readonly string[];
  /** Of an object type: how the routine belongs to it. */
  member?: "MEMBER" | "STATIC" | "CONSTRUCTOR";
}

export interface Handler {
  /** Names of exceptions; ["others"]. */
  readonly exceptions: readonly (readonly string[])[];
  readonly body: readonly Statement[];
}

export interface Block {
  readonly declarations: readonly Declaration[];
  readonly autonomous: boolean;
  readonly body: readonly Statement[];
  readonly handlers: readonly Handler[];
  readonly line: number;
}

type Kinds = {
  block: { readonly block: Block };
  assign: { readonly target: Expression; readonly value: Expression };
  call: { readonly call: Expression };
  if: {
    readonly branches: readonly { readonly when: Expression; readonly body: readonly Statement[] }[];
    readonly otherwise?: readonly Statement[];
  };
  case: {
    readonly subject?: Expression;
    readonly branches: readonly { readonly when: Expression; readonly body: readonly Statement[] }[];
    readonly otherwise?: readonly Statement[];
  };
  loop: { readonly while?: Expression; readonly body: readonly Statement[] };
  forRange: {
    readonly variable: string;
    readonly reverse: boolean;
    readonly low: Expression;
    readonly high: Expression;
    readonly body: readonly Statement[];
  };
  forQuery: { readonly variable: string; readonly query: Query | Expression; readonly body: readonly Statement[] };
  exit: { readonly continue: boolean; readonly to?: string; readonly when?: Expression };
  return: { readonly value?: Expression };
  raise: { readonly exception?: readonly string[] };
  null: object;
  open: { readonly cursor: Expression; readonly query?: Query | Expression; readonly using: readonly Expression[] };
  fetch: {
    readonly cursor: Expression;
    readonly into: readonly Expression[];
    readonly bulk: boolean;
    readonly limit?: Expression;
  };
  close: { readonly cursor: Expression };
  dml: { readonly dml: Dml };
  select: { readonly query: Query };
  execute: {
    readonly command: Expression;
    readonly into: readonly Expression[];
    readonly bulk: boolean;
    readonly using: readonly { readonly mode: string; readonly value: Expression }[];
    readonly returning: readonly Expression[];
  };
  forall: {
    readonly variable: string;
    readonly bounds: ForallBounds;
    readonly saveExceptions: boolean;
    readonly statement: Statement;
  };
  transaction: { readonly words: string };
  pipe: { readonly value: Expression };
  goto: { readonly label: string };
  /** Could not be read, or has no counterpart whatever it says: what is written raises the reason. */
  unconvertible: { readonly reason: string };
};

export type ForallBounds =
  | { readonly kind: "range"; readonly low: Expression; readonly high: Expression }
  | { readonly kind: "indices"; readonly of: Expression; readonly between?: readonly [Expression, Expression] }
  | { readonly kind: "values"; readonly of: Expression };

export type StatementOf<K extends keyof Kinds> = {
  readonly kind: K;
  readonly line: number;
  readonly labels: readonly string[];
  readonly comments: readonly string[];
} & Kinds[K];
export type Statement = { [K in keyof Kinds]: StatementOf<K> }[keyof Kinds];
