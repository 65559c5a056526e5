/** A column type, and values at its edges as SQL literals. NULL is added to each. */
export interface EdgeType {
  readonly type: string;
  readonly values: readonly string[];
  /** First major version that has the type, or all of the values. */
  readonly since?: number;
}

/** Types the values need. */
export const EDGE_TYPES_SCHEMA = `
  CREATE SCHEMA edge;
  CREATE TYPE edge.mood AS ENUM ('glad', 'so "so"', 'tr\\ist,é');
  CREATE DOMAIN edge.some_mood AS edge.mood CHECK (VALUE <> 'so "so"');
  CREATE DOMAIN edge.positive AS numeric CHECK (VALUE > 0);
  CREATE TYPE edge.point3 AS (x double precision, y numeric, label text);
  CREATE TYPE edge.nested AS (at edge.point3, moods edge.mood[]);
  CREATE TYPE edge.float_range AS RANGE (subtype = float8)`;

const TEXTS = [
  `''`,
  `'a\\b'`,
  `E'tab\\tnewline\\nreturn\\rbackslash\\\\ quote'''`,
  `'\\N'`,
  `'\\.'`,
  `repeat('é', 5000)`,
  `'日本語 🐦 עברית'`,
  `E'\\x7f\\u0001'`,
];

export const EDGE_TYPES: readonly EdgeType[] = [
  { type: "smallint", values: ["-32768", "32767", "0"] },
  { type: "integer", values: ["-2147483648", "2147483647"] },
  { type: "bigint", values: ["-9223372036854775808", "9223372036854775807"] },
  {
    type: "numeric",
    values: [
      "'NaN'",
      "0",
      "0.00",
      "-0.000000000000000000000000000001",
      "1e1000",
      "-1e-1000",
      "123456789012345678901234567890.123456789",
    ],
  },
  { type: "numeric", values: ["'Infinity'", "'-Infinity'"], since: 14 },
  { type: "numeric(10,3)", values: ["9999999.999", "-0.001"] },
  { type: "real", values: ["'NaN'", "'Infinity'", "'-Infinity'", "'-0'", "1.17549435e-38", "3.4028235e38", "0.1"] },
  { type: "double precision", values: ["'NaN'", "'Infinity'", "'-Infinity'", "'-0'", "5e-324", "1.7976931348623157e308", "0.1"] },
  { type: "money", values: ["'-92233720368547758.08'", "'92233720368547758.07'"] },
  { type: "boolean", values: ["true", "false"] },
  { type: "text", values: TEXTS },
  { type: "varchar(20)", values: ["''", "'  padded  '", "'ééééé'"] },
  { type: "char(7)", values: ["''", "'abc'", "'abcdefg'"] },
  { type: '"char"', values: ["'a'", "''"] },
  { type: "name", values: ["''", "repeat('n', 63)"] },
  { type: "bytea", values: ["''", "'\\x00ff5c0a'", "decode(repeat('00ff', 5000), 'hex')"] },
  { type: "bit(5)", values: ["B'00000'", "B'10101'"] },
  { type: "bit varying", values: ["B''", "B'1'", "repeat('10', 500)::varbit"] },
  { type: "date", values: ["'infinity'", "'-infinity'", "'4713-01-01 BC'", "'5874897-12-31'"] },
  { type: "time", values: ["'00:00'", "'24:00:00'", "'23:59:59.999999'"] },
  { type: "time with time zone", values: ["'00:00+15:59'", "'24:00:00-15:59'"] },
  { type: "timestamp", values: ["'infinity'", "'-infinity'", "'4713-01-01 00:00:00 BC'", "'294276-12-31 23:59:59.999999'"] },
  {
    type: "timestamp with time zone",
    values: ["'infinity'", "'-infinity'", "'4713-01-01 00:00:00 BC'", "'294276-12-31 23:59:59.999999+00'"],
  },
  { type: "interval", values: ["'178000000 years'", "'-178000000 years'", "'1 mon -1 day 00:00:00.000001'", "'0'"] },
  { type: "interval", values: ["'infinity'", "'-infinity'"], since: 17 },
  { type: "uuid", values: ["'00000000-0000-0000-0000-000000000000'", "'ffffffff-ffff-ffff-ffff-ffffffffffff'"] },
  { type: "inet", values: ["'0.0.0.0/0'", "'255.255.255.255'", "'::/0'", "'2001:db8::1/64'"] },
  { type: "cidr", values: ["'10.0.0.0/8'", "'2001:db8::/32'"] },
  { type: "macaddr", values: ["'ff:ff:ff:ff:ff:ff'"] },
  { type: "macaddr8", values: ["'00:00:00:ff:fe:00:00:00'"] },
  {
    type: "json",
    values: [`'{"a": [1, "\\u00e9\\n\\\\ \\" \\/", null, 1e400]}'`, `' { "b" : 1, "b" : 2 } '`, "'null'", `'"\\ud83d\\ude00"'`],
  },
  { type: "jsonb", values: [`'{"a": [1, "\\u00e9\\n\\\\ \\"", null, 1e400]}'`, "'null'", "'[]'"] },
  { type: "xml", values: ["'<a b=\"c\">é &amp; d</a>'"] },
  { type: "tsvector", values: ["''", `'fat:1A,2B "cat''s":3'`, "to_tsvector('simple', 'the quick brown fox')"] },
  { type: "tsquery", values: ["'fat & (cat | !dog:*A) <2> rat'"] },
  { type: "point", values: ["'(0,-0)'", "'(Infinity,NaN)'"] },
  { type: "lseg", values: ["'[(0,0),(1e300,1)]'"] },
  { type: "box", values: ["'(1,1),(0,0)'"] },
  { type: "path", values: ["'[(0,0),(1,1)]'", "'((0,0),(1,1))'"] },
  { type: "polygon", values: ["'((0,0),(1,1),(2,0))'"] },
  { type: "circle", values: ["'<(0,0),1e-300>'"] },
  { type: "line", values: ["'{1,-1,0}'"] },
  { type: "pg_lsn", values: ["'0/0'", "'FFFFFFFF/FFFFFFFF'"] },
  { type: "int4range", values: ["'empty'", "'(,)'", "'[1,10)'"] },
  { type: "numrange", values: ["'[-1.5,2.50]'", "'(,5)'"] },
  { type: "tstzrange", values: ["'[-infinity,infinity]'"] },
  { type: "int4multirange", values: ["'{}'", "'{[1,3),[5,9)}'"], since: 14 },
  { type: "edge.float_range", values: ["'[0.1,0.2)'", "'empty'"] },
  { type: "integer[]", values: ["'{}'", "'{1,NULL,3}'", "'[-2:0]={1,2,3}'", "'{{1,2},{3,4}}'", "'{{{1}}}'"] },
  { type: "text[]", values: [`'{"", "NULL", NULL, "a\\"b\\\\c", "{x,y}", " "}'`, "ARRAY[repeat('z', 4000)]"] },
  { type: "numeric[]", values: ["ARRAY['NaN'::numeric, 1.10]"] },
  { type: "timestamptz[]", values: ["ARRAY['infinity'::timestamptz]"] },
  { type: "jsonb[]", values: [`ARRAY['{"a": "b,c"}'::jsonb]`] },
  { type: "int4range[]", values: ["ARRAY['[1,2)'::int4range, 'empty']"] },
  { type: "edge.mood", values: ["'glad'", `'so "so"'`, "'tr\\ist,é'"] },
  { type: "edge.mood[]", values: [`ARRAY['glad', 'so "so"', NULL, 'tr\\ist,é']::edge.mood[]`] },
  { type: "edge.some_mood", values: ["'glad'"] },
  { type: "edge.positive", values: ["0.01", "'NaN'"] },
  { type: "edge.point3", values: ["ROW('NaN', 1.50, E'a\"b\\\\c,(d)\\n')", "ROW(NULL, NULL, NULL)", "ROW(1, 2, '')"] },
  { type: "edge.point3[]", values: ["ARRAY[ROW(1, 2, 'x')::edge.point3, NULL]"] },
  { type: "edge.nested", values: ["ROW(ROW(1, 2, 'x')::edge.point3, ARRAY['glad']::edge.mood[])"] },
  { type: "regclass", values: ["'pg_catalog.pg_class'"] },
  { type: "regtype", values: ["'edge.mood'", "'integer'"] },
];
