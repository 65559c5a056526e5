import { ident } from "../postgres/sql.js";

export interface DistributedColumn {
  readonly name: string;
  readonly type: string;
  readonly nullable: boolean;
}

export interface DistributionWish {
  /** Column names of the target in all of these. */
  readonly columns: readonly DistributedColumn[];
  /** What the task says. */
  readonly distributedBy: readonly string[] | undefined;
  /** The key the table gets on the target, or that names its rows; empty: it has none. */
  readonly key: readonly string[];
}

export interface Distribution {
  /** Empty: DISTRIBUTED RANDOMLY. */
  readonly columns: readonly string[];
  readonly source: "task" | "key" | "chosen" | "random";
}

/**
 * Types that hash and spread well. Others have no hash operator class (json, xml, point) or few values ("we recommend that you do not choose
 * distribution columns with Boolean or date values": AnalyticDB's document "Distribution key choices").
 */
const SPREADS =
  /^(smallint|integer|bigint|numeric|uuid|text|character varying|character|timestamp (with|without) time zone|bytea|inet|macaddr)(\(|$)/;
/** Types with no hash operator class in PostgreSQL 9.4 or 12: a key that has one is distributed by its other columns. */
const CANNOT_HASH =
  /^(json|xml|point|line|lseg|box|path|polygon|circle|bit|bit varying|tsquery|tsvector|refcursor|txid_snapshot|money)(\(|\[|$)/;

/**
 * What decides which segment a row lies on. Pure. In this order: what the task says; the key, so that its uniqueness can be checked on one segment; else the first
 * column that is NOT NULL and spreads, else the first that spreads; else at random. The service that seeds the route takes the first column, whatever it is.
 */
export function distribution({ columns, distributedBy, key }: DistributionWish): Distribution {
  if (distributedBy && distributedBy.length > 0) return { columns: distributedBy, source: "task" };
  const byName = new Map(columns.map((column) => [column.name, column]));
  const hashable = key.filter((name) => !CANNOT_HASH.test(byName.get(name)?.type ?? "json"));
  if (hashable.length > 0) return { columns: hashable, source: "key" };
  const spreading = columns.filter(({ type }) => SPREADS.test(type));
  const chosen = spreading.find(({ nullable }) => !nullable) ?? spreading[0];
  return chosen ? { columns: [chosen.name], source: "chosen" } : { columns: [], source: "random" };
}

/** The clause that ends CREATE TABLE. */
export function distributedClause(columns: readonly string[]): string {
  return columns.length === 0 ? " DISTRIBUTED RANDOMLY" : ` DISTRIBUTED BY (${columns.map(ident).join(", ")})`;
}

/**
 * Whether rows that a unique key must tell apart always meet on one segment: only there can the server compare them, and it refuses
 * every other unique key ("UNIQUE index must contain all columns in the table's distribution key").
 */
export function holdsDistribution(unique: readonly string[], distributed: readonly string[]): boolean {
  return distributed.length > 0 && distributed.every((name) => unique.includes(name));
}
