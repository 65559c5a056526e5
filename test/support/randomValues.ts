import type { RandomSource } from "./randomSource.js";

type Generate = (random: RandomSource) => string;

/** Text input of a random value by the type's name in pg_type; NULL is the caller's to mix in. */
const GENERATORS: Readonly<Record<string, Generate>> = {
  bool: (random) => String(random.chance(0.5)),
  int2: (random) => String(random.integer(-32_768, 32_767)),
  int4: (random) => String(random.integer(-2_147_483_648, 2_147_483_647)),
  int8: (random) => String(BigInt(random.integer(-2_147_483_648, 2_147_483_647)) * 4_294_967_296n),
  float4: (random) => String(Math.fround((random.next() - 0.5) * 1e6)),
  float8: (random) => (random.chance(0.02) ? "-Infinity" : String((random.next() - 0.5) * 10 ** random.integer(-20, 20))),
  text: (random) => random.text(random.chance(0.02) ? random.integer(3000, 20_000) : random.integer(0, 40)),
  uuid: (random) => Array.from({ length: 32 }, () => random.integer(0, 15).toString(16)).join(""),
  date: (random) => (random.chance(0.02) ? "infinity" : day(random)),
  timestamp: (random) => `${day(random)} ${clock(random)}`,
  timestamptz: (random) => `${day(random)} ${clock(random)}+00`,
  bytea: (random) => `\\x${Array.from({ length: random.integer(0, 60) }, () => random.integer(16, 255).toString(16)).join("")}`,
  json: (random) => JSON.stringify({ number: random.integer(0, 1e9), text: random.text(12), list: [null, true, random.next()] }),
  jsonb: (random) => JSON.stringify({ number: random.integer(0, 1e9), text: random.text(12), list: [null, true, random.next()] }),
  _int4: (random) => `{${Array.from({ length: random.integer(0, 5) }, () => random.integer(-9, 9)).join(",")}}`,
};

/** Undefined for a type this module makes no values of; `maximumLength` is that of a varchar. */
export function randomValue(type: string, maximumLength: number | undefined): Generate | undefined {
  if (type === "varchar" || type === "bpchar")
    return (random) => random.text(random.integer(0, Math.min(maximumLength ?? 40, 40)));
  return GENERATORS[type];
}

function day(random: RandomSource): string {
  return `${random.integer(1900, 2099)}-${two(random.integer(1, 12))}-${two(random.integer(1, 28))}`;
}

function clock(random: RandomSource): string {
  return `${two(random.integer(0, 23))}:${two(random.integer(0, 59))}:${two(random.integer(0, 59))}.${random.integer(100_000, 999_999)}`;
}

function two(number: number): string {
  return String(number).padStart(2, "0");
}
