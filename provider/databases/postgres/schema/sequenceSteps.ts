import type { PgSequence } from "../catalog/model.js";
import { ident } from "../sql.js";
import { type Draft, type SchemaContext, schemaStep, shown } from "./draft.js";

/** Sequences with a CREATE of their own, then OWNED BY once the table is there. Values are not moved here. */
export function sequenceDrafts(context: SchemaContext): Draft[] {
  return context.catalog.sequences.flatMap((sequence): Draft[] => {
    if (sequence.owner?.identity) return [];
    const name = context.name(sequence);
    const unlogged = sequence.unlogged && context.target >= 15 ? " UNLOGGED" : "";
    const create: Draft = {
      id: `sequence:${shown(context, sequence)}`,
      stage: "beforeRows",
      kind: "sequence",
      name: shown(context, sequence),
      subject: { kind: "sequence", schema: sequence.schema, name: sequence.name },
      provides: [sequence.key],
      uses: [],
      requires: [schemaStep(context, sequence.schema)],
      sql: [
        `CREATE${unlogged} SEQUENCE ${name} AS ${sequence.type} ${sequenceOptions(sequence)}`,
        ...context.comment(sequence.key, `SEQUENCE ${name}`),
      ],
    };
    const table = sequence.owner && context.relations.get(sequence.owner.relation);
    const column = table?.columns.find(({ number }) => number === sequence.owner?.column);
    if (!table || !column || context.resolved.names.excluded(table, column.name)) return [create];
    return [
      create,
      {
        ...create,
        id: `owner:${shown(context, sequence)}`,
        subject: { kind: "table", schema: table.schema, name: table.name },
        provides: [],
        requires: [create.id, table.key],
        sql: [
          `ALTER SEQUENCE ${name} OWNED BY ${context.name(table)}.${ident(context.resolved.names.column(table, column.name))}`,
        ],
      },
    ];
  });
}

export function sequenceOptions(sequence: PgSequence): string {
  return [
    `START WITH ${sequence.start}`,
    `INCREMENT BY ${sequence.increment}`,
    `MINVALUE ${sequence.minimum}`,
    `MAXVALUE ${sequence.maximum}`,
    `CACHE ${sequence.cache}`,
    sequence.cycle ? "CYCLE" : "NO CYCLE",
  ].join(" ");
}
