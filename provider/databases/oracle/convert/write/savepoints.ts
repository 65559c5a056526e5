import type { Block, Statement } from "../read/plsql.js";

/**
 * Takes out savepoints that a block with handlers stands for. PL/pgSQL has no SAVEPOINT, but takes back what a block changed before
 * its handler runs: a handler's ROLLBACK TO a savepoint that was set right before its block, or first in it, has nothing left to do.
 * Savepoints used in any other way stay, and are refused when they are written.
 */
export function settleSavepoints(block: Block): Block {
  const settled = new Set<string>();
  const marked = settleBlock(block, [], settled);
  const open = new Set<string>();
  visitRollbacks(marked, (name) => open.add(name));
  return replaceTransactions(marked, (words) => {
    const name = savepointName(words);
    return name !== undefined && settled.has(name) && !open.has(name);
  });
}

function settleBlock(block: Block, before: readonly string[], settled: Set<string>): Block {
  const names = new Set([...before, ...leadingSavepoints(block.body)]);
  const handlers = block.handlers.map((handler) =>
    replaceTransactions(settle(handler, settled), (words) => {
      const name = rollbackName(words);
      if (name === undefined || !names.has(name)) return false;
      settled.add(name);
      return true;
    }),
  );
  return { ...block, body: settle(block.body, settled), handlers };
}

/** Settles every block inside; of a list of statements a block knows the savepoints right before it. */
function settle<T>(node: T, settled: Set<string>, before: readonly string[] = []): T {
  if (Array.isArray(node)) {
    let names: string[] = [];
    return node.map((each) => {
      const result = settle(each, settled, names);
      const name = isTransaction(each) ? savepointName(each.words) : undefined;
      names = name === undefined ? [] : [...names, name];
      return result;
    }) as T;
  }
  if (typeof node !== "object" || node === null) return node;
  if ("kind" in node && node.kind === "block" && "block" in node)
    return { ...node, block: settleBlock(node.block as Block, before, settled) };
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, settle(value, settled)])) as T;
}

/** Savepoints that are set before the block changes anything. */
function leadingSavepoints(body: readonly Statement[]): string[] {
  const names: string[] = [];
  for (const statement of body) {
    const name = isTransaction(statement) ? savepointName(statement.words) : undefined;
    if (name !== undefined) names.push(name);
    else if (!["null", "assign", "select"].includes(statement.kind)) break;
  }
  return names;
}

function replaceTransactions<T>(node: T, isGone: (words: string) => boolean): T {
  if (Array.isArray(node)) return node.map((each) => replaceTransactions(each, isGone)) as T;
  if (typeof node !== "object" || node === null) return node;
  if (isTransaction(node) && isGone(node.words)) {
    const { words: _, ...statement } = node;
    return { ...statement, kind: "null" } as T;
  }
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, replaceTransactions(value, isGone)])) as T;
}

function visitRollbacks(node: unknown, visit: (name: string) => void): void {
  if (Array.isArray(node)) for (const each of node) visitRollbacks(each, visit);
  else if (typeof node === "object" && node !== null) {
    const name = isTransaction(node) ? rollbackName(node.words) : undefined;
    if (name !== undefined) visit(name);
    for (const value of Object.values(node)) visitRollbacks(value, visit);
  }
}

function isTransaction(node: unknown): node is { readonly kind: "transaction"; readonly words: string } {
  return typeof node === "object" && node !== null && (node as { kind?: unknown }).kind === "transaction";
}

function savepointName(words: string): string | undefined {
  return /^savepoint (\S+)$/i.exec(words)?.[1]?.toLowerCase();
}

function rollbackName(words: string): string | undefined {
  return /^rollback (?:work )?to (?:savepoint )?(\S+)$/i.exec(words)?.[1]?.toLowerCase();
}
