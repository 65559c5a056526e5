import { Unconvertible } from "./cursor.js";
import type { Token } from "./lexer.js";

/** dbms_db_version's constants, as the newest long-term release with every branch that PostgreSQL can follow has them. */
const CONSTANTS: Readonly<Record<string, number>> = { "DBMS_DB_VERSION.VERSION": 19, "DBMS_DB_VERSION.RELEASE": 0 };

type Value = number | boolean | string | undefined;

/**
 * Keeps the branches of $IF ... $THEN ... $ELSIF ... $ELSE ... $END that are compiled: inquiry directives ($$name) that nobody
 * set are null, and a null condition is false. The others go, as they do in Oracle.
 */
export function selectBranches(tokens: readonly Token[]): Token[] {
  const kept: Token[] = [];
  /** One entry per open $IF: whether the current branch is kept, and whether a branch has been taken. */
  const open: { kept: boolean; taken: boolean; outer: boolean }[] = [];
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at];
    if (!token) break;
    const current = open.at(-1);
    const outer = current ? current.kept : true;
    if (token.kind !== "directive" || !/^\$(IF|ELSIF|ELSE|END|ERROR)$/.test(token.text)) {
      if (outer) kept.push(token);
    } else if (token.text === "$IF") {
      const end = conditionEnd(tokens, at);
      const holds = outer && isTrue(tokens.slice(at + 1, end));
      open.push({ kept: holds, taken: holds, outer });
      at = end;
    } else if (token.text === "$ERROR") {
      if (outer) throw new Unconvertible("$ERROR is reached in conditional compilation", token.line);
      // Its $END is not that of the $IF around it.
      while (at < tokens.length && tokens[at]?.text !== "$END") at++;
    } else if (!current) {
      throw new Unconvertible(`${token.text} without $IF`, token.line);
    } else if (token.text === "$ELSIF") {
      const end = conditionEnd(tokens, at);
      current.kept = current.outer && !current.taken && isTrue(tokens.slice(at + 1, end));
      current.taken ||= current.kept;
      at = end;
    } else if (token.text === "$ELSE") {
      current.kept = current.outer && !current.taken;
    } else open.pop();
  }
  return kept;
}

function conditionEnd(tokens: readonly Token[], at: number): number {
  const end = tokens.findIndex((token, index) => index > at && token.text === "$THEN");
  if (end < 0) throw new Unconvertible("$IF without $THEN", tokens[at]?.line);
  return end;
}

function isTrue(tokens: readonly Token[]): boolean {
  let at = 0;
  const text = () => tokens[at]?.text ?? "";
  const or = (): Value => {
    let left = and();
    while (text() === "OR") {
      at++;
      const right = and();
      left = left === true || right === true;
    }
    return left;
  };
  const and = (): Value => {
    let left = comparison();
    while (text() === "AND") {
      at++;
      const right = comparison();
      left = left === true && right === true;
    }
    return left;
  };
  const comparison = (): Value => {
    if (text() === "NOT") {
      at++;
      const value = comparison();
      return value === undefined ? undefined : value !== true;
    }
    const left = operand();
    if (text() === "IS") {
      at++;
      const negated = text() === "NOT";
      at += negated ? 2 : 1;
      return (left === undefined) !== negated;
    }
    const operator = text();
    if (!/^(=|<>|!=|<|>|<=|>=)$/.test(operator)) return left;
    at++;
    return compared(left, operator, operand());
  };
  const operand = (): Value => {
    const token = tokens[at++];
    if (token?.text === "(") {
      const value = or();
      at++;
      return value;
    }
    if (token?.kind === "number") return Number(token.value);
    if (token?.kind === "string") return token.value;
    if (token?.kind !== "word" && token?.kind !== "quoted") return undefined;
    if (token.text === "TRUE" || token.text === "FALSE") return token.text === "TRUE";
    let name = token.text;
    for (; text() === "."; at += 2) name += `.${tokens[at + 1]?.text ?? ""}`;
    return versionConstant(name);
  };
  return or() === true;
}

function versionConstant(name: string): Value {
  const atMost = /^DBMS_DB_VERSION\.VER_LE_(\d+)(?:_\d)?$/.exec(name)?.[1];
  return atMost === undefined ? CONSTANTS[name.replace(/^SYS\./, "")] : 19 <= Number(atMost);
}

function compared(left: Value, operator: string, right: Value): Value {
  if (left === undefined || right === undefined) return undefined;
  if (operator === "=") return left === right;
  if (operator === "<>" || operator === "!=") return left !== right;
  if (operator === "<") return left < right;
  if (operator === ">") return left > right;
  return operator === "<=" ? left <= right : left >= right;
}
