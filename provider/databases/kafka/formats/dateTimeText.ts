/** A date, time or both, read from PostgreSQL's text form (DateStyle ISO): `has...` tells which parts the text had. */
export class DateTimeText {
  hasDate = false;
  year = 0;
  month = 0;
  day = 0;
  hasTime = false;
  hour = 0;
  minute = 0;
  second = 0;
  /** Microseconds; -1 when the text has no fraction. */
  micros = -1;
  /** Where the zone's text is; `zoneStart` is -1 without one. */
  zoneStart = -1;
  zoneEnd = -1;

  /**
   * False, and nothing to be read, for what does not fit four digits of a year and two of everything else: infinity, years before 1
   * ("0044-03-15 BC") and after 9999, zones with seconds (local times of before standard time).
   */
  read(data: Buffer, start: number, end: number): boolean {
    let at = start;
    this.hasDate = data[at + 4] === 0x2d;
    this.hasTime = false;
    this.micros = -1;
    this.zoneStart = -1;
    if (this.hasDate) {
      const century = twoDigits(data, at);
      const years = twoDigits(data, at + 2);
      this.month = twoDigits(data, at + 5);
      this.day = twoDigits(data, at + 8);
      if (end - at < 10 || (century | years | this.month | this.day) < 0 || data[at + 7] !== 0x2d) return false;
      this.year = century * 100 + years;
      at += 10;
      if (at === end) return true;
      if (data[at] !== 0x20) return false;
      at++;
    }
    this.hour = twoDigits(data, at);
    this.minute = twoDigits(data, at + 3);
    this.second = twoDigits(data, at + 6);
    if (end - at < 8 || (this.hour | this.minute | this.second) < 0 || data[at + 2] !== 0x3a || data[at + 5] !== 0x3a)
      return false;
    this.hasTime = true;
    at += 8;
    if (data[at] === 0x2e && at < end) {
      let micros = 0;
      let digits = 0;
      for (at++; at < end; at++) {
        const digit = (data[at] as number) - 0x30;
        if (digit < 0 || digit > 9) break;
        micros = micros * 10 + digit;
        digits++;
      }
      if (digits === 0 || digits > 6) return false;
      for (; digits < 6; digits++) micros *= 10;
      this.micros = micros;
    }
    if (at === end) return true;
    const sign = data[at];
    const length = end - at;
    const hours = twoDigits(data, at + 1);
    const minutes = length === 3 ? 0 : length === 6 && data[at + 3] === 0x3a ? twoDigits(data, at + 4) : -1;
    if ((sign !== 0x2b && sign !== 0x2d) || (hours | minutes) < 0) return false;
    this.zoneStart = at;
    this.zoneEnd = end;
    return true;
  }
}

/** Negative unless both bytes are digits. */
function twoDigits(data: Buffer, at: number): number {
  const tens = (data[at] as number) - 0x30;
  const ones = (data[at + 1] as number) - 0x30;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1;
}
