import type { Environment } from "./environment.js";
import type { Type } from "./types.js";

const NUMERIC: Type = { sql: "numeric", family: "number" };
const NUMBERS: Type = { sql: "numeric[]", family: "array", element: NUMERIC };
const POINT: Type = {
  sql: "godwit_oracle.sdo_point_type",
  family: "record",
  fields: new Map([
    ["x", NUMERIC],
    ["y", NUMERIC],
    ["z", NUMERIC],
  ]),
};
const GEOMETRY: Type = {
  sql: "godwit_oracle.sdo_geometry",
  family: "record",
  fields: new Map([
    ["sdo_gtype", NUMERIC],
    ["sdo_srid", NUMERIC],
    ["sdo_point", POINT],
    ["sdo_elem_info", NUMBERS],
    ["sdo_ordinates", NUMBERS],
  ]),
};

/** MDSYS's object types, which are made of numbers only: without PostGIS they are composite types of the same attributes. */
const TYPES: ReadonlyMap<string, Type> = new Map([
  ["sdo_geometry", GEOMETRY],
  ["sdo_point_type", POINT],
  ["sdo_elem_info_array", NUMBERS],
  ["sdo_ordinate_array", NUMBERS],
]);

/** The type for SDO_GEOMETRY and what it is made of; undefined for another name, or where geometries are PostGIS's or refused. */
export function geometryType(name: readonly string[], line: number, env: Environment): Type | undefined {
  const isSpatial = name.length === 1 || (name.length === 2 && name[0] === "mdsys");
  const type = isSpatial && env.catalog.geometryAsObject ? TYPES.get(name.at(-1) ?? "") : undefined;
  if (!type) return undefined;
  env.output.use("sdo_geometry");
  if (type === GEOMETRY)
    env.output.warn(
      "SDO_GEOMETRY became a type of its attributes: only with PostGIS (--postgis) can the target compute with it",
      line,
    );
  return type;
}
