import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readFacts } from "../../../provider/databases/polardbO/readTraits.js";
import { sourceSettings, targetSettings } from "../../../provider/databases/polardbO/sessionSettings.js";
import { recognize } from "../../../provider/databases/polardbO/traits.js";
import { connect } from "../../../provider/databases/postgres/connection.js";
import { type PostgresServer, startPostgres } from "../../support/postgres.js";
import { RECORDED } from "./recordedFacts.js";

describe("a server is known by what it answers", () => {
  it.each([
    ["polardbO1", "polardb-o", "1.0", "translated", true, "async"],
    ["polardbO1With64BitDate", "polardb-o", "1.0", "withTime", false, "unknown"],
    ["polardbO2", "polardb-o", "2.0", "withTime", true, "unknown"],
    ["polardbPostgres", "polardb-postgresql", undefined, "plain", false, "sync"],
    ["postgres14", "postgresql", undefined, "plain", false, "unknown"],
    ["postgres11", "postgresql", undefined, "plain", false, "unknown"],
  ] as const)("%s", (name, edition, release, date, emptyStringIsNull, slotFailover) => {
    const traits = recognize(RECORDED[name]);
    expect(traits).toMatchObject({ edition, release, date, emptyStringIsNull, slotFailover });
    expect(traits.compatible).toBe(edition === "polardb-o" ? "oracle" : "postgresql");
  });

  it("says where packages and synonyms are read, the whole database before what one's own role sees", () => {
    expect(recognize(RECORDED.polardbO1)).toMatchObject({ sourceView: "sys.dba_source", synonymView: "pg_catalog.pg_synonym" });
    expect(recognize(RECORDED.polardbO2)).toMatchObject({ sourceView: "sys.all_source", synonymView: "sys.all_synonyms" });
    expect(recognize(RECORDED.postgres14)).toMatchObject({ sourceView: undefined, synonymView: undefined });
  });

  it("takes a server of the Oracle mode that shows no empty-string setting to do as the default does", () => {
    const { polar_enable_empty_string_is_null: _, ...settings } = RECORDED.polardbO2.settings;
    expect(recognize({ ...RECORDED.polardbO2, settings }).emptyStringIsNull).toBe(true);
  });

  it("is not taken in by a name: PolarDB's kernel in PostgreSQL mode speaks no Oracle", () => {
    expect(recognize({ ...RECORDED.polardbPostgres, banner: "PolarDB for Oracle" }).compatible).toBe("postgresql");
  });
});

describe("sessions", () => {
  it("set date formats that lose nothing, and only those that the server has", () => {
    expect(sourceSettings(recognize(RECORDED.polardbO2))).toEqual({
      nls_date_format: "YYYY-MM-DD HH24:MI:SS",
      nls_timestamp_format: "YYYY-MM-DD HH24:MI:SS.FF",
      nls_timestamptz_format: "YYYY-MM-DD HH24:MI:SS.FF TZH:TZM",
    });
    expect(sourceSettings(recognize(RECORDED.postgres14))).toEqual({});
  });

  it("keep DATE a date on a target whose DDL would make it a timestamp", () => {
    expect(targetSettings(recognize(RECORDED.polardbO1))).toEqual({ polar_comp_redwood_date: "off" });
    expect(targetSettings(recognize(RECORDED.polardbO1With64BitDate))).toEqual({});
  });
});

describe("PostgreSQL itself", () => {
  let servers: PostgresServer[];
  beforeAll(async () => {
    servers = await Promise.all([startPostgres({ major: 11 }), startPostgres({ major: 14 })]);
  });
  afterAll(() => Promise.all(servers.map((server) => server.remove())));

  it("answers as recorded", async () => {
    for (const [at, recorded] of [RECORDED.postgres11, RECORDED.postgres14].entries()) {
      const server = servers[at];
      if (!server) throw new Error("no server");
      const client = await connect(server.endpoint(), { applicationName: "test" });
      const facts = await readFacts(client);
      await client.end();
      expect({ ...facts, banner: "" }).toEqual({ ...recorded, banner: "" });
      expect(recognize(facts).edition).toBe("postgresql");
    }
  });
});
