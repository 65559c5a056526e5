import { describe, expect, it } from "vitest";
import { DateTimeText } from "../../../../provider/databases/kafka/formats/dateTimeText.js";

const parsed = new DateTimeText();

/** As one value among the bytes of others. */
function read(text: string): boolean {
  const data = Buffer.from(`9${text}:9-9`);
  return parsed.read(data, 1, 1 + text.length);
}

describe("the text of dates and times", () => {
  it("gives the fraction of a second in microseconds, however many digits it has", () => {
    for (const [text, micros] of [
      ["00:00:00", -1],
      ["00:00:00.5", 500_000],
      ["00:00:00.05", 50_000],
      ["00:00:00.000001", 1],
      ["00:00:00.123456", 123_456],
    ] as const) {
      expect(read(text), text).toBe(true);
      expect(parsed.micros, text).toBe(micros);
    }
  });

  it("does not keep a part from the value before", () => {
    expect(read("2024-01-02 03:04:05.6+07:30")).toBe(true);
    expect([parsed.hasDate, parsed.hasTime, parsed.micros, parsed.zoneEnd - parsed.zoneStart]).toEqual([true, true, 600_000, 6]);
    expect(read("2024-01-02")).toBe(true);
    expect([parsed.hasDate, parsed.hasTime, parsed.micros, parsed.zoneStart]).toEqual([true, false, -1, -1]);
    expect(read("03:04:05")).toBe(true);
    expect([parsed.hasDate, parsed.hasTime, parsed.micros, parsed.zoneStart]).toEqual([false, true, -1, -1]);
  });

  it("is not taken where a part does not fit", () => {
    for (const text of [
      "infinity",
      "-infinity",
      "0044-03-15 BC",
      "0044-03-15 10:00:00 BC",
      "4713-01-01 00:00:00+00 BC",
      "10000-01-01",
      "294276-12-31 23:59:59.999999+00",
      "1890-01-01 00:00:00-07:52:58",
      "2024-01-02T03:04:05",
      "2024-1-2",
      "2024-01-02 03:04",
      "2024-01-02 03:04:05.",
      "2024-01-02 03:04:05.1234567",
      "2024-01-02 03:04:05+0",
      "2024-01-02 03:04:05 PM",
      "",
      "2024-",
    ]) {
      expect(read(text), text).toBe(false);
    }
  });
});
