import { RedoProblem } from "./redoProblem.js";

/**
 * Formats of the mining session. SYYYY has a sign for years before Christ and a blank for the others; LogMiner writes a DATE with the format
 * beside it, a TIMESTAMP without, so those of the session are what the scanner goes by.
 */
export const DATE_FORMAT = "SYYYY-MM-DD HH24:MI:SS";
export const TIMESTAMP_FORMAT = "SYYYY-MM-DD HH24:MI:SS.FF";
export const TIMESTAMP_TZ_FORMAT = "SYYYY-MM-DD HH24:MI:SS.FF TZH:TZM";

const MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

/** Longer elements before their own beginnings. */
const ELEMENTS = [
  "HH24",
  "HH12",
  "SYYYY",
  "YYYY",
  "RRRR",
  "MONTH",
  "MON",
  "TZH",
  "TZM",
  "TZR",
  "A.M.",
  "P.M.",
  "B.C.",
  "A.D.",
  "FF9",
  "FF6",
  "FF3",
  "FF",
  "RR",
  "YY",
  "MM",
  "MI",
  "DD",
  "SS",
  "HH",
  "AM",
  "PM",
  "BC",
  "AD",
  "FX",
  "FM",
] as const;

/**
 * A date in any format a session may have, as PostgreSQL reads it: `2020-02-01 13:05:00.5`, with an offset or ` BC` where there is one. For
 * statements of formats that are not the session's own; those are copied without this.
 * Throws RedoProblem for an element that is not known, or text that does not fit.
 */
export function dateText(text: string, format: string): string {
  const upper = format.toUpperCase();
  let at = 0;
  let year = 0;
  let month = 1;
  let day = 1;
  let hour = 0;
  let minute = 0;
  let second = 0;
  let fraction = "";
  let zone = "";
  let beforeChrist = false;
  let afternoon: boolean | undefined;

  const digits = (atMost: number): string => {
    const start = at;
    while (at < text.length && at - start < atMost && text[at] !== undefined && /\d/.test(text[at] ?? "")) at++;
    return text.slice(start, at);
  };
  const number = (atMost: number): number => {
    const found = digits(atMost);
    if (found === "") throw new RedoProblem("unreadable", `a date that does not fit its format ${format}`);
    return Number(found);
  };

  for (let from = 0; from < upper.length; ) {
    const element = ELEMENTS.find((candidate) => upper.startsWith(candidate, from));
    if (!element) {
      // Punctuation stands for any punctuation; X is the session's radix character.
      from++;
      if (at < text.length && !/\w/.test(text[at] ?? "")) at++;
      continue;
    }
    from += element.length;
    switch (element) {
      case "SYYYY":
        if (text[at] === "-") beforeChrist = true;
        if (text[at] === "-" || text[at] === " " || text[at] === "+") at++;
        year = number(4);
        break;
      case "YYYY":
      case "RRRR":
        year = number(4);
        break;
      case "RR": {
        const two = number(2);
        year = two < 50 ? 2000 + two : 1900 + two;
        break;
      }
      case "YY":
        year = 2000 + number(2);
        break;
      case "MM":
        month = number(2);
        break;
      case "MON":
      case "MONTH": {
        month = MONTHS.indexOf(text.slice(at, at + 3).toUpperCase()) + 1;
        if (month === 0) throw new RedoProblem("unreadable", "a month that is not English");
        while (/[A-Za-z]/.test(text[at] ?? "")) at++;
        while (element === "MONTH" && text[at] === " " && upper[from] !== " ") at++;
        break;
      }
      case "DD":
        day = number(2);
        break;
      case "HH24":
      case "HH12":
      case "HH":
        hour = number(2);
        break;
      case "MI":
        minute = number(2);
        break;
      case "SS":
        second = number(2);
        break;
      case "FF":
      case "FF3":
      case "FF6":
      case "FF9":
        fraction = digits(9);
        break;
      case "AM":
      case "PM":
        afternoon = text[at]?.toUpperCase() === "P";
        at += 2;
        break;
      case "A.M.":
      case "P.M.":
        afternoon = text[at]?.toUpperCase() === "P";
        at += 4;
        break;
      case "BC":
      case "AD":
        beforeChrist = text[at]?.toUpperCase() === "B";
        at += 2;
        break;
      case "B.C.":
      case "A.D.":
        beforeChrist = text[at]?.toUpperCase() === "B";
        at += 4;
        break;
      case "TZH": {
        const sign = text[at] === "-" ? "-" : "+";
        if (text[at] === "-" || text[at] === "+" || text[at] === " ") at++;
        zone = `${sign}${digits(2).padStart(2, "0")}`;
        break;
      }
      case "TZM":
        zone += `:${digits(2)}`;
        break;
      case "TZR": {
        const start = at;
        while (at < text.length && text[at] !== " ") at++;
        zone = ` ${text.slice(start, at)}`;
        break;
      }
      case "FX":
      case "FM":
        break;
    }
  }
  if (afternoon !== undefined) hour = (hour % 12) + (afternoon ? 12 : 0);
  const two = (value: number) => String(value).padStart(2, "0");
  return (
    `${String(year).padStart(4, "0")}-${two(month)}-${two(day)} ${two(hour)}:${two(minute)}:${two(second)}` +
    `${fraction === "" ? "" : `.${fraction}`}${zone}${beforeChrist ? " BC" : ""}`
  );
}
