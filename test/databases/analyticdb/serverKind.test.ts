import { describe, expect, it } from "vitest";
import { recognize, type ServerFactsRow } from "../../../provider/databases/analyticdb/serverKind.js";
import { chooseStorage } from "../../../provider/databases/analyticdb/storage.js";

const INDEX_METHODS = ["btree", "hash", "gist", "gin", "spgist"];
const GREENPLUM = ["gp_segment_configuration", "gp_distribution_policy", "gp_configuration_history", "gp_id"];

/**
 * version() as published in public logs of Greenplum 6.9, 7.0 and 7.0 beta; AnalyticDB's are Greenplum's with a build of its own ("developed based on the open
 * source Greenplum 6.0 kernel and PostgreSQL 9.4 kernel": "Features of AnalyticDB for PostgreSQL V6.0"). Nobody of this project has seen an
 * AnalyticDB's catalog: those two are put together from the documents.
 */
const RECORDED: Readonly<Record<string, ServerFactsRow>> = {
  "Greenplum 6.9": {
    version:
      "PostgreSQL 9.4.24 (Greenplum Database 6.9.0 build commit:ef010af28862a0fed172ca96620cc1037aac71a0) on x86_64-unknown-linux-gnu, compiled by gcc (GCC) 6.4.0, 64-bit compiled on Jun 29 2020 22:58:53",
    number: 90424,
    catalogs: [...GREENPLUM, "gp_fastsequence"],
    accessMethods: [...INDEX_METHODS, "bitmap"],
    versionSettings: {},
  },
  "Greenplum 7.0": {
    version:
      "PostgreSQL 12.12 (Greenplum Database 7.0.0 build commit:0a7a3566873325aca1789ae6f818c80f17a9402d) on x86_64-pc-linux-gnu, compiled by gcc (GCC) 8.5.0 20210514 (Red Hat 8.5.0-18), 64-bit compiled on Sep 20 2023 23:21:05 Bhuvnesh C.",
    number: 120012,
    catalogs: GREENPLUM,
    accessMethods: ["heap", ...INDEX_METHODS, "bitmap", "ao_row", "ao_column"],
    versionSettings: {},
  },
  "AnalyticDB 6": {
    version: "PostgreSQL 9.4.26 (Greenplum Database 6.6.0 build dev) on x86_64-pc-linux-gnu, compiled by gcc, 64-bit",
    number: 90426,
    catalogs: GREENPLUM,
    accessMethods: [...INDEX_METHODS, "bitmap"],
    versionSettings: { rds_release_version: "6.3.10.1" },
  },
  "AnalyticDB 7.0.6.6": {
    version: "PostgreSQL 12.12 (Greenplum Database 7.0.6.6 build dev) on x86_64-pc-linux-gnu, compiled by gcc, 64-bit",
    number: 120012,
    catalogs: GREENPLUM,
    accessMethods: ["heap", "beam", ...INDEX_METHODS, "ao_row", "ao_column"],
    versionSettings: {},
  },
  "AnalyticDB 7.0.2.3, where Beam was in preview": {
    version: "PostgreSQL 12.12 (Greenplum Database 7.0.2.3 build dev) on x86_64-pc-linux-gnu, compiled by gcc, 64-bit",
    number: 120012,
    catalogs: GREENPLUM,
    accessMethods: ["heap", "beam", ...INDEX_METHODS],
    versionSettings: {},
  },
  "PostgreSQL 17": {
    version: "PostgreSQL 17.6 on x86_64-pc-linux-gnu, compiled by gcc (Debian 12.2.0-14) 12.2.0, 64-bit",
    number: 170006,
    catalogs: [],
    accessMethods: ["heap", ...INDEX_METHODS, "brin"],
    versionSettings: {},
  },
  "Greenplum 5": {
    version: "PostgreSQL 8.3.23 (Greenplum Database 5.23.0 build commit:abc) on x86_64-pc-linux-gnu",
    number: 80323,
    catalogs: GREENPLUM,
    accessMethods: INDEX_METHODS,
    versionSettings: {},
  },
};

function recorded(name: string): ServerFactsRow {
  const facts = RECORDED[name];
  if (!facts) throw new Error(`nothing is recorded of ${name}`);
  return facts;
}

describe("what a server is", () => {
  it.each([
    ["Greenplum 6.9", 6, false, undefined],
    ["Greenplum 7.0", 7, false, undefined],
    ["AnalyticDB 6", 6, false, "6.3.10.1"],
    ["AnalyticDB 7.0.6.6", 7, true, "7.0.6.6"],
    ["AnalyticDB 7.0.2.3, where Beam was in preview", 7, false, "7.0.2.3"],
  ] as const)("is told from its own words: %s", (name, major, beam, minorVersion) => {
    const server = recognize(recorded(name));
    expect(server).toMatchObject({ kind: "segmented", major, beam, minorVersion, accessMethods: major === 7 });
  });

  it("is not known by its name: PostgreSQL 17 and Greenplum 5 are refused with what they are", () => {
    expect(recognize(recorded("PostgreSQL 17"))).toEqual({
      kind: "other",
      reason: "the server has no gp_segment_configuration and no gp_distribution_policy: it is not of the Greenplum family",
    });
    expect(recognize(recorded("Greenplum 5"))).toMatchObject({
      kind: "other",
      reason: expect.stringContaining("PostgreSQL 8.3.23 (Greenplum Database 5.23.0"),
    });
  });

  it("is known by its catalogs and its SQL where version() says neither Greenplum nor AnalyticDB", () => {
    const renamed = { ...recorded("AnalyticDB 7.0.6.6"), version: "PostgreSQL 12.12 (another name) on x86_64" };
    expect(recognize(renamed)).toMatchObject({ kind: "segmented", major: 7, beam: true });
  });
});

describe("storage", () => {
  const clause = (name: string, wanted: "beam" | "heap" | "appendoptimized") => {
    const server = recognize(recorded(name));
    if (server.kind === "other") throw new Error(server.reason);
    const { engine, clause: sql, takesKeys, note } = chooseStorage(wanted, server);
    return [engine, sql, takesKeys, note !== undefined];
  };

  it("is Beam where the server has it, heap with a note where not, and said in the server's own clause", () => {
    expect(clause("AnalyticDB 7.0.6.6", "beam")).toEqual(["beam", " USING beam", true, false]);
    expect(clause("AnalyticDB 7.0.6.6", "heap")).toEqual(["heap", " USING heap", true, false]);
    expect(clause("Greenplum 7.0", "beam")).toEqual(["heap", " USING heap", true, true]);
    expect(clause("AnalyticDB 6", "beam")).toEqual(["heap", " WITH (appendonly=false)", true, true]);
    expect(clause("AnalyticDB 6", "heap")).toEqual(["heap", " WITH (appendonly=false)", true, false]);
  });

  it("that is append-optimized takes no keys", () => {
    expect(clause("AnalyticDB 7.0.6.6", "appendoptimized")).toEqual(["appendoptimized", " USING ao_column", false, false]);
    expect(clause("AnalyticDB 6", "appendoptimized")).toEqual([
      "appendoptimized",
      " WITH (appendonly=true, orientation=column)",
      false,
      false,
    ]);
  });
});
