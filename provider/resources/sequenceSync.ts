import { randomUUID } from "node:crypto";
import type { Connection, SelectedSequence, SequenceSyncInputs, SequenceSyncOutputs, SequenceValue } from "../contract/types.js";
import { sequencesOf } from "../databases/index.js";
import { withConnection } from "../databases/postgres/connection.js";
import { type Sequence, sequenceKey } from "../databases/postgres/sequences.js";
import { advanced, callsBehind, mustHold } from "../databases/postgres/sequencesAhead.js";
import { moveSequence } from "../databases/postgres/sequencesMove.js";
import { ErrorCode, GodwitError } from "../engine/errors.js";
import { foundOtherwise, inputDiff } from "./inputDiff.js";
import type { Log, Resource } from "./resource.js";

const APPLICATION = { applicationName: "godwit/sequences" };

/** Moves the target's sequences up to the source's. Sequences have no history: there is nothing to take back on delete. */
export const sequenceSync: Resource<SequenceSyncInputs, SequenceSyncOutputs> = {
  diff(olds, news) {
    // The output `sequences` is another thing than the input, which lies in `selection`.
    const { sequences: _values, selection, ...rest } = olds;
    const { changed, replaces, details } = inputDiff("SequenceSync", { ...rest, sequences: selection }, news);
    const behind = (olds.behind ?? []).length > 0;
    return {
      changes: changed.length > 0 || behind,
      replaces,
      deleteBeforeReplace: false,
      details: behind ? [...details, foundOtherwise("behind")] : details,
    };
  },

  preview: ({ sequences: selection, ...rest }) => ({ ...rest, ...(selection ? { selection } : {}), behind: [] }),

  async create(inputs, { log }) {
    return { id: randomUUID(), outputs: await sync(inputs, log) };
  },

  async read(_id, outputs, { log }) {
    const pairs = await readPairs(outputs, outputs.selection, false);
    const behind = pairs
      .filter(({ source, target }) => callsBehind(target, source) > 0n)
      .map(({ target }) => sequenceKey(target));
    const listed = asOnTarget(outputs.source, outputs.selection)?.map(targetKey) ?? [];
    const known = new Set(pairs.map(({ target }) => sequenceKey(target)));
    const missing = listed.filter((key) => !known.has(key));
    if (behind.length > 0) log.warn(`${behind.length} sequence(s) of the target fell behind the source: ${shortened(behind)}`);
    if (missing.length > 0) log.warn(`${missing.length} sequence(s) are gone: ${shortened(missing)}`);
    return { ...outputs, behind: [...behind, ...missing].sort() };
  },

  update(_id, _olds, news, { log }) {
    return sync(news, log);
  },

  async delete() {
    // The target's sequences stay where they are: moving them back would give values twice.
  },
};

async function sync(inputs: SequenceSyncInputs, log: Log): Promise<SequenceSyncOutputs> {
  const { sequences: selection, ...rest } = inputs;
  const pairs = await readPairs(inputs, selection, true);
  const margin = BigInt(inputs.margin);
  const goals = pairs.map((pair) => ({ ...pair, goal: advanced(pair.source, margin) }));
  // All of them are looked at before the first one moves.
  for (const { source, target, goal } of goals) {
    // One that is ahead already stays as it is, whatever its bounds say about the goal.
    if (callsBehind(target, goal) > 0n || target.increment > 0n !== source.increment > 0n)
      mustHold(target, source, goal, sequenceKey(target));
  }
  const values: SequenceValue[] = [];
  let moves = 0;
  await withConnection(inputs.target, APPLICATION, async (client) => {
    for (const { target, goal } of goals) {
      const { state, moved } = await moveSequence(client, target, goal);
      values.push({ name: sequenceKey(target), value: String(state.last) });
      if (moved) moves++;
    }
  });
  log.info(`${moves} sequence(s) moved, ${values.length - moves} were ahead of the source already`);
  return { ...rest, ...(selection ? { selection } : {}), sequences: values, behind: [] };
}

interface Pair {
  readonly source: Sequence;
  readonly target: Sequence;
}

/**
 * The sequences on both sides, by the target's name. When `strict`, one that is named and missing is an error (GW1902), and so is
 * one that may not be read (GW1910); else it is left out.
 */
async function readPairs(
  ends: { readonly source: Connection; readonly target: Connection },
  selected: readonly SelectedSequence[] | undefined,
  strict: boolean,
): Promise<readonly Pair[]> {
  const selection = asOnTarget(ends.source, selected);
  const sourceKeys = selection && new Set(selection.map(sequenceKey));
  const targetKeys = selection && new Set(selection.map(targetKey));
  const { applicationName } = APPLICATION;
  const [source, target] = await Promise.all([
    sequencesOf(ends.source).read(ends.source, applicationName, (key) => sourceKeys?.has(key) ?? true),
    sequencesOf(ends.target).read(ends.target, applicationName, (key) => targetKeys?.has(key) ?? true),
  ]);
  const shared = [...source.sequences.keys(), ...source.unreadable].filter(
    (key) => target.sequences.has(key) || target.unreadable.has(key),
  );
  const names =
    selection?.map((item) => ({ from: sequenceKey(item), to: targetKey(item) })) ?? shared.map((key) => ({ from: key, to: key }));
  const pairs: Pair[] = [];
  for (const { from, to } of names) {
    const [at, there] = [source.sequences.get(from), target.sequences.get(to)];
    if (at && there) pairs.push({ source: at, target: there });
    else if (strict && !at) throw absent("source", from, source.unreadable);
    else if (strict) throw absent("target", to, target.unreadable);
  }
  return pairs.sort((a, b) => (sequenceKey(a.target) < sequenceKey(b.target) ? -1 : 1));
}

/** Sources whose names are folded another way list their sequences under the names that they have on the target. */
function asOnTarget(
  source: Connection,
  selection: readonly SelectedSequence[] | undefined,
): readonly SelectedSequence[] | undefined {
  const { naturalName } = sequencesOf(source);
  return selection?.map((item) => ({ ...item, schema: naturalName(item.schema), name: naturalName(item.name) }));
}

function absent(side: "source" | "target", key: string, unreadable: ReadonlySet<string>): GodwitError {
  if (unreadable.has(key)) {
    return new GodwitError(ErrorCode.SequenceNotPermitted, `the ${side}'s role may not read the sequence`, {
      object: key,
      remedy: `GRANT USAGE ON SCHEMA and GRANT SELECT ON SEQUENCE ${key} TO the ${side} endpoint's role`,
    });
  }
  return new GodwitError(ErrorCode.SequenceMissing, `the ${side} has no such sequence`, {
    object: key,
    remedy: "check schema and name (and renameSchema and rename for the target) under sequences",
  });
}

function targetKey({ schema, name, renameSchema, rename }: SelectedSequence): string {
  return sequenceKey({ schema: renameSchema ?? schema, name: rename ?? name });
}

function shortened(names: readonly string[]): string {
  return names.length <= 10 ? names.join(", ") : `${names.slice(0, 10).join(", ")} and ${names.length - 10} more`;
}
