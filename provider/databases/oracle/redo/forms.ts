/** Modules that look at these for every value copy them into constants of their own: some loaders make a call of each look-up. */

/** What a literal turned out to be. */
export const Form = {
  /** The statement does not name the column. */
  absent: 0,
  null: 1,
  /** Its text is in the output. */
  text: 2,
  /** LogMiner can't print it, or it was printed in a way that can't be read: it must be looked up in the table. */
  unknown: 3,
  /** EMPTY_CLOB() or EMPTY_BLOB(): a value of no bytes, that fragments which follow may fill. */
  emptyLob: 4,
} as const;

/** Where a literal stands, which decides what may follow its closing quote. */
export const Place = { values: 0, set: 1, where: 2, block: 3 } as const;
