/** `+02-03` of TO_YMINTERVAL as PostgreSQL reads it. A sign stands for both parts there, for one part here. */
export function yearToMonthText(text: string): string {
  const { sign, rest } = signed(text);
  const [years = "0", months = "0"] = rest.split("-");
  return `${sign}${Number(years)} years ${sign}${Number(months)} mons`;
}

/** `-01 02:03:04.5` of TO_DSINTERVAL as PostgreSQL reads it. */
export function dayToSecondText(text: string): string {
  const { sign, rest } = signed(text);
  const [days = "0", time = "00:00:00"] = rest.split(" ");
  return `${sign}${Number(days)} days ${sign}${time.endsWith(".") ? time.slice(0, -1) : time}`;
}

function signed(text: string): { sign: "" | "-"; rest: string } {
  const trimmed = text.trim();
  if (trimmed.startsWith("-")) return { sign: "-", rest: trimmed.slice(1) };
  return { sign: "", rest: trimmed.startsWith("+") ? trimmed.slice(1) : trimmed };
}
