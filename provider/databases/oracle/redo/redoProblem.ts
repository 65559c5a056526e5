/**
 * Redo that is not what the scanner knows. `message` says what was met and where in the statement, never the statement itself: that holds
 * users' data. Whoever knows the table and the SCN makes an error of it that a user can act on.
 */
export class RedoProblem extends Error {
  override readonly name = "RedoProblem";

  constructor(
    readonly kind: "unreadable" | "unknownColumn" | "placesUnknown" | "keyMissing" | "rowIncomplete",
    message: string,
  ) {
    super(message);
  }
}
