import type { Client } from "pg";

/** What a server says of itself, as it says it: recorded catalogs of other servers are the tests of `recognize`. */
export interface ServerFactsRow {
  /** version(): "PostgreSQL 12.12 (Greenplum Database 7.0.0 build commit:...) on x86_64-...". */
  readonly version: string;
  /** server_version_num: 90426 for 9.4.26. */
  readonly number: number;
  /** Those of Greenplum's own catalog tables (gp_segment_configuration, gp_distribution_policy, ...) that are there. */
  readonly catalogs: readonly string[];
  /** pg_am.amname: index methods, and from PostgreSQL 12 on the tables' storage engines. */
  readonly accessMethods: readonly string[];
  /** Settings whose names say that they hold the product's own version, with their values. */
  readonly versionSettings: Readonly<Record<string, string>>;
}

/** A server that tables can be spread over the segments of. */
export interface SegmentedServer {
  readonly kind: "segmented";
  /** Of the Greenplum kernel: 6 speaks PostgreSQL 9.4's SQL, 7 PostgreSQL 12's. */
  readonly major: 6 | 7;
  /** PostgreSQL's major version: 9 or 12. */
  readonly postgres: number;
  /** Of the product, such as "7.0.6.6", where the server tells. */
  readonly minorVersion: string | undefined;
  /** The storage engine `beam` can be used. */
  readonly beam: boolean;
  /** `USING heap`; before 7 a table's storage is among its parameters. */
  readonly accessMethods: boolean;
  /** GENERATED ALWAYS AS (...) STORED. */
  readonly generatedColumns: boolean;
}

export interface OtherServer {
  readonly kind: "other";
  readonly reason: string;
}

/** The first version in which the migration service that seeds this route offers Beam. */
const BEAM_SINCE = [7, 0, 6, 6] as const;

const CATALOGS = ["gp_segment_configuration", "gp_distribution_policy"] as const;

/**
 * Tells what a server can do from its own words. Pure. Not from its name: AnalyticDB's version() is Greenplum's, with builds of its own, so
 * what counts is the kernel in the brackets, the catalogs that are there and the storage engines on offer.
 */
export function recognize(facts: ServerFactsRow): SegmentedServer | OtherServer {
  const kernel = /\((?:Greenplum Database|AnalyticDB[^)\d]*) ?[vV]?(\d+)\.(\d+)/.exec(facts.version);
  const missing = CATALOGS.filter((name) => !facts.catalogs.includes(name));
  if (missing.length > 0) {
    return { kind: "other", reason: `the server has no ${missing.join(" and no ")}: it is not of the Greenplum family` };
  }
  const postgres = Math.floor(facts.number / 10_000);
  // A kernel that calls itself otherwise is known by the PostgreSQL below it.
  const major = kernel ? Number(kernel[1]) : postgres >= 12 ? 7 : postgres === 9 ? 6 : 0;
  if (major === 7 && postgres >= 12) {
    const minorVersion = productVersion(facts);
    return {
      kind: "segmented",
      major,
      postgres,
      minorVersion,
      beam: facts.accessMethods.includes("beam") && !(minorVersion && isOlder(minorVersion, BEAM_SINCE)),
      accessMethods: true,
      generatedColumns: true,
    };
  }
  if (major === 6 && facts.number >= 90_400 && facts.number < 100_000) {
    return {
      kind: "segmented",
      major,
      postgres,
      minorVersion: productVersion(facts),
      beam: false,
      accessMethods: false,
      generatedColumns: false,
    };
  }
  return { kind: "other", reason: `the server is ${facts.version.slice(0, 100)}, of a version that is not known here` };
}

/** Everything `recognize` reads, in SQL that PostgreSQL 9.4 has. On Greenplum 6 ARRAY() over no rows is NULL. */
const FACTS = `
SELECT pg_catalog.version() AS version,
       pg_catalog.current_setting('server_version_num')::integer AS number,
       coalesce(ARRAY(SELECT c.relname::text FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                       WHERE n.nspname = 'pg_catalog' AND c.relname LIKE 'gp\\_%' AND c.relkind IN ('r', 'v')), '{}') AS catalogs,
       ARRAY(SELECT amname::text FROM pg_catalog.pg_am) AS methods,
       coalesce(ARRAY(SELECT name || '=' || setting FROM pg_catalog.pg_settings
                       WHERE name ~ 'version' AND name ~ '^(adb|rds|polar)'), '{}') AS settings`;

export async function readServerKind(client: Client): Promise<SegmentedServer | OtherServer> {
  const { rows } = await client.query<{
    version: string;
    number: number;
    catalogs: string[];
    methods: string[];
    settings: string[];
  }>(FACTS);
  const [row] = rows;
  if (!row) return { kind: "other", reason: "the server does not say what it is" };
  return recognize({
    version: row.version,
    number: row.number,
    catalogs: row.catalogs,
    accessMethods: row.methods,
    versionSettings: Object.fromEntries(row.settings.map((setting) => setting.split("=", 2) as [string, string])),
  });
}

/** Four numbers are the product's; three are the kernel's. */
function productVersion({ version, versionSettings }: ServerFactsRow): string | undefined {
  const texts = [...Object.values(versionSettings), version];
  for (const text of texts) {
    const found = /\b\d+\.\d+\.\d+\.\d+\b/.exec(text)?.[0];
    if (found) return found;
  }
  return undefined;
}

function isOlder(version: string, than: readonly number[]): boolean {
  const parts = version.split(".").map(Number);
  for (const [index, wanted] of than.entries()) {
    const part = parts[index] ?? 0;
    if (part !== wanted) return part < wanted;
  }
  return false;
}
