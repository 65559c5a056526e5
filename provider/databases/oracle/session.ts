import { DATE_FORMAT, TIMESTAMP_FORMAT, TIMESTAMP_TZ_FORMAT } from "./redo/dates.js";

/**
 * Set on every session: the forms in which LogMiner and TO_CHAR without a format write, whatever the client's environment says. English month
 * names and a point in numbers, because text goes to PostgreSQL as it is; UTC, because that is what the applier's session has.
 */
export const SESSION_SETTINGS = [
  `ALTER SESSION SET NLS_LANGUAGE = 'AMERICAN' NLS_TERRITORY = 'AMERICA' NLS_CALENDAR = 'GREGORIAN' NLS_SORT = 'BINARY' NLS_COMP = 'BINARY'`,
  `ALTER SESSION SET NLS_DATE_FORMAT = '${DATE_FORMAT}' NLS_TIMESTAMP_FORMAT = '${TIMESTAMP_FORMAT}' ` +
    `NLS_TIMESTAMP_TZ_FORMAT = '${TIMESTAMP_TZ_FORMAT}' NLS_NUMERIC_CHARACTERS = '.,'`,
  "ALTER SESSION SET TIME_ZONE = '+00:00'",
] as const;
