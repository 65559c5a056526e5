import { ErrorCode, GodwitError } from "../../engine/errors.js";
import type { Position } from "../../engine/models/change.js";
import { positionAt } from "./logMiner/position.js";

/** `123456` or `SCN 123456`, as outputs show it. Errors: GW1001. */
export function parseScn(text: string): Position {
  const match = /^\s*(?:SCN\s+)?(\d+)\s*$/i.exec(text);
  const scn = match ? BigInt(match[1] ?? "") : undefined;
  if (scn !== undefined && scn < 1n << 48n) return positionAt(scn);
  throw new GodwitError(ErrorCode.InvalidInput, `"${text}" is no SCN`, {
    object: "startPosition",
    remedy: "give the number, as SELECT CURRENT_SCN FROM V$DATABASE shows it",
  });
}
