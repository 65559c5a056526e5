/** What a server of the family answered when it was asked what it is; see readFacts.ts for the question. */
export interface PolardbFacts {
  /** server_version_num. */
  readonly version: number;
  /** version(). */
  readonly banner: string;
  /** Settings whose names tell the editions apart, by name. */
  readonly settings: Readonly<Record<string, PolardbSetting>>;
  /** Bytes of a value of pg_catalog.date: 4, or 8 where it holds a time of day. */
  readonly dateBytes: number;
  /** Catalogs and Oracle views that PostgreSQL does not have, as `schema.name`. */
  readonly catalogs: readonly string[];
}

export interface PolardbSetting {
  readonly value: string;
  /** Whether this session may change it. */
  readonly changeable: boolean;
}

/**
 * What DDL makes of a column of type date.
 * - `plain`: PostgreSQL's date, a day.
 * - `translated`: timestamp(0), unless polar_comp_redwood_date is off where the table is made ("Date and time types").
 * - `withTime`: the type itself holds a time of day in 8 bytes ("64-bit DATE types").
 */
export type DateKind = "plain" | "translated" | "withTime";

export interface PolardbTraits {
  readonly edition: "polardb-o" | "polardb-postgresql" | "postgresql";
  /** Whose SQL the server speaks where the two differ. */
  readonly compatible: "oracle" | "postgresql";
  /** Oracle-compatible 1.0 builds on PostgreSQL 11, 2.0 on PostgreSQL 14. Undefined for what is not Oracle-compatible. */
  readonly release: "1.0" | "2.0" | undefined;
  /** PostgreSQL's major version underneath. */
  readonly major: number;
  readonly date: DateKind;
  /** `translated` can be switched off for a session. */
  readonly dateKept: boolean;
  readonly emptyStringIsNull: boolean;
  /** Whether a failover takes the logical slots along, and how; `unknown`: the server does not say. */
  readonly slotFailover: "sync" | "async" | "off" | "unknown";
  /** `schema.name` of the view with the lines of packages and types. */
  readonly sourceView: string | undefined;
  /** `schema.name` of the catalog or view with the synonyms. */
  readonly synonymView: string | undefined;
  /** Settings that change the text form of dates and timestamps. */
  readonly textFormats: readonly string[];
}

/**
 * Tells PolarDB for PostgreSQL (Compatible with Oracle) 1.0 and 2.0, PolarDB for PostgreSQL and PostgreSQL apart, and says what each does its own
 * way. Pure, and by what the server answers, never by the name under which it was registered.
 *
 * From public documents: `polar_compatibility_mode` is `ora` or `pg` (PolarDB kernel installation guide; the JDBC driver asks the same),
 * `polar_version` (Logical replication slot failover), `polar_comp_redwood_date` and its like (PolarDB-O cluster parameters, 1.0),
 * `polar_empty_string_is_null_enable` and its name in 2.0 (1.0 to 2.0 migration preparation and FAQs).
 */
export function recognize(facts: PolardbFacts): PolardbTraits {
  const { settings, version } = facts;
  const on = (name: string): boolean => settings[name]?.value === "on";
  const polardb = /\bPolarDB\b/i.test(facts.banner) || Object.keys(settings).some((name) => name.startsWith("polar_"));
  const oracle = polardb && oracleMode(facts);
  const translated = oracle && on("polar_comp_redwood_date");
  return {
    edition: oracle ? "polardb-o" : polardb ? "polardb-postgresql" : "postgresql",
    compatible: oracle ? "oracle" : "postgresql",
    release: oracle ? (version >= 140_000 ? "2.0" : "1.0") : undefined,
    major: Math.floor(version / 10_000),
    date: facts.dateBytes === 8 ? "withTime" : translated ? "translated" : "plain",
    dateKept: settings.polar_comp_redwood_date?.changeable === true,
    emptyStringIsNull: oracle && emptyStringIsNull(settings),
    slotFailover: slotFailover(settings.polar_failover_slot_mode?.value),
    sourceView: firstOf(facts.catalogs, ["dba_source", "all_source"]),
    synonymView: firstOf(facts.catalogs, ["pg_synonym", "dba_synonyms", "all_synonyms"]),
    textFormats: Object.keys(settings).filter((name) => /^nls_(date|timestamp|timestamptz|timestamp_tz)_format$/.test(name)),
  };
}

/** 1.0 has no mode to ask for: it is known by the settings of its Oracle dialect. */
function oracleMode({ settings }: PolardbFacts): boolean {
  const mode = settings.polar_compatibility_mode?.value;
  return mode === undefined ? Object.keys(settings).some((name) => name.startsWith("polar_comp_redwood_")) : mode === "ora";
}

/** On by default in both releases; a server that shows neither setting is taken to do as the default. */
function emptyStringIsNull(settings: PolardbFacts["settings"]): boolean {
  const setting = settings.polar_enable_empty_string_is_null ?? settings.polar_empty_string_is_null_enable;
  return setting === undefined || setting.value === "on";
}

function slotFailover(mode: string | undefined): PolardbTraits["slotFailover"] {
  return mode === "sync" || mode === "async" || mode === "off" ? mode : "unknown";
}

function firstOf(catalogs: readonly string[], names: readonly string[]): string | undefined {
  for (const name of names) {
    const found = catalogs.find((catalog) => catalog.endsWith(`.${name}`));
    if (found !== undefined) return found;
  }
  return undefined;
}
