import { describe, expect, it } from "vitest";
import { createFrameReader } from "../../../../provider/databases/postgres/replication/frames.js";

function message(type: string, body: string): Buffer {
  const bytes = Buffer.from(body);
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeInt32BE(bytes.length + 4, 1);
  return Buffer.concat([head, bytes]);
}

describe("cutting a byte stream into messages", () => {
  const bodies = ["", "a", "some more", "x".repeat(100_000), "", "end"];
  const stream = Buffer.concat(bodies.map((body) => message("d", body)));

  it.each([1, 2, 3, 4, 5, 6, 7, 64, 65_536, 1_000_000])("finds them all in chunks of %i bytes", (size) => {
    const found: string[] = [];
    const reader = createFrameReader((type, data, at, end) =>
      found.push(String.fromCharCode(type) + data.toString("utf8", at, end)),
    );
    for (let at = 0; at < stream.length; at += size) reader.push(Buffer.from(stream.subarray(at, at + size)));
    expect(found).toEqual(bodies.map((body) => `d${body}`));
  });
});
