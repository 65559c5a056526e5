import type { Change } from "./difference.js";
import type { TypeStructure } from "./structure.js";

/** The steps from one form of an enum, a domain or a composite type to the next. */
export function typeDifference(before: TypeStructure, after: TypeStructure): Change[] {
  if (after.type === "enum") return labelDifference(before, after);
  if (after.type === "composite") return attributeDifference(before, after);
  return domainDifference(before, after);
}

/** Labels are added and renamed, never dropped; a label's oid outlives its rename. */
function labelDifference(before: TypeStructure, after: TypeStructure): Change[] {
  const was = new Map((before.labels ?? []).map(({ id, label }) => [id, label]));
  const labels = after.labels ?? [];
  const renamed = labels.flatMap(({ id, label }): Change[] => {
    const old = was.get(id);
    return old !== undefined && old !== label ? [{ kind: "renameLabel", from: old, to: label }] : [];
  });
  // From the end: the label that a new one stands before is there already.
  const added = labels.flatMap(({ id, label }, at): Change[] =>
    was.has(id) ? [] : [{ kind: "addLabel", label, before: labels[at + 1]?.label }],
  );
  return [...renamed, ...added.reverse()];
}

function attributeDifference(before: TypeStructure, after: TypeStructure): Change[] {
  const was = new Map((before.attributes ?? []).map((attribute) => [attribute.number, attribute]));
  const is = new Set((after.attributes ?? []).map(({ number }) => number));
  return [
    ...[...was.values()].filter(({ number }) => !is.has(number)).map(({ name }) => ({ kind: "dropAttribute", name }) as const),
    ...(after.attributes ?? []).flatMap(({ number, name, type }): Change[] => {
      const old = was.get(number);
      if (!old) return [{ kind: "addAttribute", name, type }];
      return [
        ...(old.name === name ? [] : [{ kind: "renameAttribute", from: old.name, to: name } as const]),
        ...(old.type === type ? [] : [{ kind: "changeAttribute", name, type } as const]),
      ];
    }),
  ];
}

function domainDifference(before: TypeStructure, after: TypeStructure): Change[] {
  const clauses: string[] = [];
  const text = ({ constraints }: TypeStructure) => new Map(constraints.map(({ name, definition }) => [name, definition]));
  const was = text(before);
  const is = text(after);
  for (const [name, definition] of was) if (is.get(name) !== definition) clauses.push(`DROP CONSTRAINT ${quoted(name)}`);
  if (before.default !== after.default) clauses.push(after.default === null ? "DROP DEFAULT" : `SET DEFAULT ${after.default}`);
  if (before.notNull !== after.notNull) clauses.push(after.notNull ? "SET NOT NULL" : "DROP NOT NULL");
  for (const [name, definition] of is)
    if (was.get(name) !== definition) clauses.push(`ADD CONSTRAINT ${quoted(name)} ${definition}`);
  return clauses.map((clause) => ({ kind: "alterDomain", clause }));
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
