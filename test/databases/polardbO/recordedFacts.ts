import type { PolardbFacts } from "../../../provider/databases/polardbO/traits.js";

const settings = (all: Readonly<Record<string, string>>, fixed: readonly string[] = []): PolardbFacts["settings"] =>
  Object.fromEntries(Object.entries(all).map(([name, value]) => [name, { value, changeable: !fixed.includes(name) }]));

/**
 * What servers answer to the recognizer. Put together from the vendor's public documents (named beside each), for no such server can be reached from
 * here; the last two are answers of real servers.
 */
export const RECORDED = {
  /** "PolarDB-O cluster parameters" and "Logical replication slot failover"; classic clusters, where DDL makes DATE a timestamp(0). */
  polardbO1: {
    version: 110009,
    banner: "PostgreSQL 11.9 (POLARDB Database Compatible with Oracle 11.9.30) on x86_64-linux-gnu",
    settings: settings(
      {
        polar_version: "1.1.30",
        polar_comp_redwood_date: "on",
        polar_comp_redwood_raw_names: "off",
        polar_comp_redwood_strings: "on",
        polar_empty_string_is_null_enable: "on",
        polar_failover_slot_mode: "async",
      },
      ["polar_version", "polar_failover_slot_mode"],
    ),
    dateBytes: 4,
    catalogs: ["sys.all_source", "sys.dba_source", "sys.dba_synonyms", "pg_catalog.pg_synonym"],
  },
  /** "64-bit DATE types": clusters made from V1.1.29 on. */
  polardbO1With64BitDate: {
    version: 110009,
    banner: "PostgreSQL 11.9 (POLARDB Database Compatible with Oracle 11.9.29) on x86_64-linux-gnu",
    settings: settings({ polar_version: "1.1.29", polar_comp_redwood_date: "on", polar_empty_string_is_null_enable: "off" }),
    dateBytes: 8,
    catalogs: ["sys.all_source", "sys.all_synonyms"],
  },
  /** "1.0 to 2.0 migration preparation and FAQs" for the parameter; the mode as PolarDB's own tools ask for it. */
  polardbO2: {
    version: 140020,
    banner: "PostgreSQL 14.20 (PolarDB 14.20.41.0) on x86_64-linux-gnu",
    settings: settings({
      polar_version: "2.0.14.20.41.0",
      polar_compatibility_mode: "ora",
      polar_enable_empty_string_is_null: "on",
      nls_date_format: "DD-MON-RR",
      nls_timestamp_format: "DD-MON-RR HH.MI.SSXFF AM",
      nls_timestamptz_format: "DD-MON-RR HH.MI.SSXFF AM TZR",
    }),
    dateBytes: 8,
    catalogs: ["sys.all_source", "sys.all_synonyms"],
  },
  /** PolarDB for PostgreSQL: the same kernel in the other mode. */
  polardbPostgres: {
    version: 140020,
    banner: "PostgreSQL 14.20 (PolarDB 14.20.41.0) on x86_64-linux-gnu",
    settings: settings({ polar_version: "2.0.14.20.41.0", polar_compatibility_mode: "pg", polar_failover_slot_mode: "sync" }),
    dateBytes: 4,
    catalogs: [],
  },
  /** Answered by a PostgreSQL 14 server. */
  postgres14: {
    version: 140023,
    banner: "PostgreSQL 14.23 on x86_64-pc-linux-gnu, compiled by gcc, 64-bit",
    settings: {},
    dateBytes: 4,
    catalogs: [],
  },
  /** And by a PostgreSQL 11 server. */
  postgres11: {
    version: 110022,
    banner: "PostgreSQL 11.22 on x86_64-pc-linux-gnu, compiled by gcc, 64-bit",
    settings: {},
    dateBytes: 4,
    catalogs: [],
  },
} as const satisfies Readonly<Record<string, PolardbFacts>>;
