import { Unconvertible } from "../read/cursor.js";
import type { Statement } from "../read/plsql.js";

/** A part of a list of statements that a jump leaves or starts again. */
export type JumpPart =
  | { readonly kind: "plain"; readonly statements: readonly Statement[] }
  /** Jumps forward behind these statements: EXIT of a labelled block. */
  | { readonly kind: "skip"; readonly label: string; readonly parts: readonly JumpPart[] }
  /** Jumps back to their start: CONTINUE of a labelled loop. */
  | { readonly kind: "again"; readonly label: string; readonly parts: readonly JumpPart[] };

/**
 * Arranges statements so that their GOTOs become EXIT and CONTINUE, which PL/pgSQL has. A GOTO whose label stands elsewhere than in this
 * list is left for the list around it.
 */
export function arrangeJumps(statements: readonly Statement[]): JumpPart[] {
  for (let at = statements.length - 1; at >= 0; at--) {
    for (const label of statements[at]?.labels ?? []) {
      const before = statements.slice(0, at);
      const after = statements.slice(at);
      const forward = jumpsTo(before, label);
      const back = jumpsTo(after, label);
      if (!forward && !back) continue;
      if (back && leavesLoop(after))
        throw new Unconvertible("GOTO backwards around an EXIT of the loop outside", statements[at]?.line);
      const head: JumpPart[] = forward
        ? [{ kind: "skip", label, parts: arrangeJumps(turn(before, label, false)) }]
        : arrangeJumps(before);
      const rest = turn(after, label, true).map((statement, index) =>
        index === 0 ? { ...statement, labels: statement.labels.filter((each) => each !== label) } : statement,
      );
      const tail: JumpPart[] = back
        ? [{ kind: "again", label: `${label}_again`, parts: arrangeJumps(rest) }]
        : arrangeJumps(rest);
      return [...head, ...tail];
    }
  }
  return [{ kind: "plain", statements }];
}

function jumpsTo(node: unknown, label: string): boolean {
  if (Array.isArray(node)) return node.some((each) => jumpsTo(each, label));
  if (typeof node !== "object" || node === null) return false;
  const { kind, label: to } = node as { kind?: string; label?: string };
  return (kind === "goto" && to === label) || Object.values(node).some((each) => jumpsTo(each, label));
}

function turn<T>(node: T, label: string, isBack: boolean): T {
  if (Array.isArray(node)) return node.map((each) => turn(each, label, isBack)) as T;
  if (typeof node !== "object" || node === null) return node;
  const { kind, label: to } = node as { kind?: string; label?: string };
  if (kind === "goto" && to === label)
    return { ...node, kind: "exit", continue: isBack, to: isBack ? `${label}_again` : label } as T;
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, turn(value, label, isBack)])) as T;
}

/** An EXIT or CONTINUE without a label that means a loop outside of these statements. */
function leavesLoop(node: unknown): boolean {
  if (Array.isArray(node)) return node.some(leavesLoop);
  if (typeof node !== "object" || node === null) return false;
  const { kind, to } = node as { kind?: string; to?: string };
  if (kind === "exit") return to === undefined;
  if (kind === "loop" || kind === "forRange" || kind === "forQuery" || kind === "forall") return false;
  return Object.values(node).some(leavesLoop);
}
