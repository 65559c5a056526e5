import { ident } from "../sql.js";
import { type Draft, type SchemaContext, schemaStep, shown } from "./draft.js";

/** Operators, operator families and classes, and casts. */
export function operatorDrafts(context: SchemaContext): Draft[] {
  return [...operators(context), ...families(context), ...classes(context), ...casts(context)];
}

/**
 * A commutator or negator that does not exist yet is made as a shell by CREATE OPERATOR and filled by its own, so the two need no order: the
 * server records them as no dependency either.
 */
function operators(context: SchemaContext): Draft[] {
  const { catalog, sql, resolved } = context;
  return catalog.operators.map((operator) => {
    const target = `${ident(resolved.names.schema(operator.schema))}.${operator.name}`;
    const left = operator.left === undefined ? "NONE" : sql.definition(operator.left);
    const right = operator.right === undefined ? "NONE" : sql.definition(operator.right);
    return {
      id: `operator:${shown(context, operator)}(${left},${right})`,
      stage: "beforeRows",
      kind: "operator",
      name: `${shown(context, operator)}(${left},${right})`,
      subject: {
        kind: "operator",
        schema: operator.schema,
        name: operator.name,
        signature: `${operator.left ?? ""},${operator.right ?? ""}`,
      },
      provides: [operator.key],
      uses: [operator.key],
      ignores: (key) => key.startsWith("pg_operator/"),
      requires: [schemaStep(context, operator.schema)],
      sql: [
        `CREATE OPERATOR ${target} (${[...operator.clauses, ...operator.promises].map((clause) => sql.definition(clause)).join(", ")})`,
        ...context.comment(operator.key, `OPERATOR ${target} (${left}, ${right})`),
      ],
    };
  });
}

function families(context: SchemaContext): Draft[] {
  return context.catalog.operatorFamilies.map((family) => ({
    id: `operatorFamily:${shown(context, family)} USING ${family.method}`,
    stage: "beforeRows",
    kind: "operatorFamily",
    name: shown(context, family),
    subject: { kind: "operatorFamily", schema: family.schema, name: family.name },
    provides: [family.key],
    uses: [],
    requires: [schemaStep(context, family.schema)],
    sql: [
      `CREATE OPERATOR FAMILY ${context.name(family)} USING ${family.method}`,
      ...context.comment(family.key, `OPERATOR FAMILY ${context.name(family)} USING ${family.method}`),
    ],
  }));
}

function classes(context: SchemaContext): Draft[] {
  const { sql } = context;
  return context.catalog.operatorClasses.map((item) => {
    const storage = item.storage === undefined ? [] : [`STORAGE ${sql.definition(item.storage)}`];
    const head = `${context.name(item)}${item.isDefault ? " DEFAULT" : ""} FOR TYPE ${sql.definition(item.type)} USING ${item.method}`;
    return {
      id: `operatorClass:${shown(context, item)} USING ${item.method}`,
      stage: "beforeRows",
      kind: "operatorClass",
      name: shown(context, item),
      subject: { kind: "operatorClass", schema: item.schema, name: item.name },
      provides: [item.key],
      uses: [item.key, ...item.itemKeys],
      ignores: (key) => key === item.key,
      requires: [schemaStep(context, item.schema)],
      sql: [
        `CREATE OPERATOR CLASS ${head} FAMILY ${sql.definition(item.family)} AS ${[...item.items.map((part) => sql.definition(part)), ...storage].join(", ")}`,
        ...context.comment(item.key, `OPERATOR CLASS ${context.name(item)} USING ${item.method}`),
      ],
    };
  });
}

/** A cast has no schema: it goes where something needs it (see selectDrafts), or with a task that takes everything. */
function casts(context: SchemaContext): Draft[] {
  const { sql } = context;
  return context.catalog.casts.map((cast) => {
    const pair = `(${sql.definition(cast.source)} AS ${sql.definition(cast.target)})`;
    return {
      id: `cast:(${cast.source} AS ${cast.target})`,
      stage: "beforeRows",
      kind: "cast",
      name: `(${cast.source} AS ${cast.target})`,
      subject: { kind: "cast", schema: "", name: `(${cast.source} AS ${cast.target})` },
      provides: [cast.key],
      uses: [cast.key],
      requires: [],
      sql: [`CREATE CAST ${pair} ${sql.definition(cast.how)}${cast.context}`, ...context.comment(cast.key, `CAST ${pair}`)],
    };
  });
}
