import { describe, expect, it } from "vitest";
import { exactCopy, exactForm, exactSink } from "../../../provider/databases/analyticdb/exactFloats.js";
import { RandomSource } from "../../support/randomSource.js";

/** A decimal as Greenplum 6 reads it: rounded to the 64 bits of a long double, and that to the 53 of a double. For normal numbers. */
function readByGreenplum6(text: string): number {
  const [, sign = "", whole = "", fraction = "", exponent = "0"] = /^(-?)(\d+)(?:\.(\d+))?(?:e([-+]?\d+))?$/.exec(text) ?? [];
  const tens = Number(exponent) - fraction.length;
  const digits = BigInt(whole + fraction);
  let [over, under] = tens < 0 ? [digits, 10n ** BigInt(-tens)] : [digits * 10n ** BigInt(tens), 1n];
  let twos = 0;
  for (const bits of [64n, 53n]) {
    // Scaled so that the quotient has as many bits.
    while (over / under >= 1n << bits) [under, twos] = [under * 2n, twos + 1];
    while (over / under < 1n << (bits - 1n)) [over, twos] = [over * 2n, twos - 1];
    const rest = 2n * (over % under);
    const floor = over / under;
    const up = rest > under || (rest === under && floor % 2n === 1n);
    [over, under] = [up ? floor + 1n : floor, 1n];
  }
  return Number(`${sign}1`) * Number(over) * 2 ** twos;
}

describe("a double precision on its way to a kernel that rounds twice", () => {
  const exact = exactForm("double precision") ?? String;

  it("would come out as its neighbour in the shortest form, and does not in the exact one", () => {
    const text = "8.93067428842187e-10";
    expect(readByGreenplum6(text)).not.toBe(Number(text));
    expect(readByGreenplum6(exact(text))).toBe(Number(text));
  });

  it("arrives whatever it is", () => {
    const random = new RandomSource(20261128);
    const view = new DataView(new ArrayBuffer(8));
    let neighbours = 0;
    for (let n = 0; n < 30_000; n++) {
      view.setUint32(0, Math.floor(random.next() * 2 ** 32));
      view.setUint32(4, Math.floor(random.next() * 2 ** 32));
      const wild = view.getFloat64(0);
      const number =
        n % 2 === 0 ? (random.next() - 0.5) * 10 ** (n % 30) : Math.abs(wild) > 1e-290 && Math.abs(wild) < 1e290 ? wild : n;
      if (readByGreenplum6(String(number)) !== number) neighbours++;
      expect(readByGreenplum6(exact(String(number))), String(number)).toBe(number);
    }
    expect(neighbours).toBeGreaterThan(0);
  });

  it("stays as it is where there is nothing to round", () => {
    for (const text of ["0", "-0", "42", "9007199254740991", "NaN", "Infinity", "-Infinity"]) expect(exact(text)).toBe(text);
    expect(exact("5e-324")).toBe("4.9406564584124654e-324");
  });

  it("is found in arrays, and nowhere else", () => {
    const list = exactForm("double precision[]") ?? String;
    expect(list("[0:3]={0.1,NULL,-Infinity,1e+22}")).toBe("[0:3]={0.10000000000000001,NULL,-Infinity,1.0000000000000000e+22}");
    expect(exactForm("numeric")).toBeUndefined();
    expect(exactForm("point")).toBeUndefined();
  });

  it("is one column of a row of changes", () => {
    const value = (text: string | null) => {
      const head = Buffer.alloc(4);
      head.writeInt32BE(text === null ? -1 : text.length);
      return Buffer.concat([head, Buffer.from(text ?? "")]);
    };
    const row = (...values: (string | null)[]) => Buffer.concat([Buffer.from([0, values.length]), ...values.map(value)]);
    const run = Buffer.concat([row("0.1", "a\tb", "0.1"), row(null, "0.5", "7"), row("1e-05", null, null)]);
    const [lines] = exactCopy([exact, undefined, exact])([run]);
    expect(lines?.subarray(5).toString()).toBe(
      "0.10000000000000001\ta\\tb\t0.10000000000000001\n\\N\t0.5\t7\n0.000010000000000000001\t\\N\t\\N\n",
    );
    expect(
      exactCopy([undefined, exact, undefined])([row("x", "7", "y")])[0]
        ?.subarray(5)
        .toString(),
    ).toBe("x\t7\ty\n");
  });

  it("is one column of a load, however the stream is cut", () => {
    const frame = (line: string) => {
      const head = Buffer.from([0x64, 0, 0, 0, 0]);
      head.writeInt32BE(Buffer.byteLength(line) + 4, 1);
      return Buffer.concat([head, Buffer.from(line)]);
    };
    const lines = ["ä\t0.1\tlast\n", "\\N\t\\N\t\\N\n", "x\\ty\t2\t\n", `${"long".repeat(50)}\t1.5e+300\t0.1\n`];
    const stream = Buffer.concat(lines.map(frame));
    const wanted = [
      "ä\t0.10000000000000001\tlast\n",
      lines[1] ?? "",
      lines[2] ?? "",
      `${"long".repeat(50)}\t1.5000000000000001e+300\t0.1\n`,
    ];
    for (let step = 1; step <= stream.length; step += 3) {
      const got: Buffer[] = [];
      let rows = 0;
      const write = (frames: Buffer, begun: number) => {
        got.push(Buffer.from(frames));
        rows += begun;
        return undefined;
      };
      const sink = exactSink({ write }, [undefined, exact, undefined]);
      for (let at = 0; at < stream.length; at += step)
        void sink.write(stream.subarray(at, at + step), at === 0 ? lines.length : 0);
      expect(Buffer.concat(got)).toEqual(Buffer.concat(wanted.map(frame)));
      expect(rows).toBe(lines.length);
    }
  });
});
