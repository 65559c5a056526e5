import { fitName } from "../convert/write/names.js";

/**
 * What PostgreSQL calls an object that Oracle calls so: Oracle folds unquoted names to upper case, PostgreSQL to lower, so that the same program
 * text finds it on either side. A name with small letters was quoted, and stays.
 */
export function naturalName(name: string): string {
  return fitName(/^[\p{Lu}\p{Lo}][\p{Lu}\p{Lo}\p{N}_$#]*$/u.test(name) ? name.toLowerCase() : name);
}

/** The spelling of a PostgreSQL name that the converter reads as that name; undefined where there is none (all upper case). */
export function oracleSpelling(target: string): string | undefined {
  const upper = target.toUpperCase();
  if (naturalName(upper) === target) return upper;
  return naturalName(target) === target ? target : undefined;
}
