import { WireWriter } from "./bytes.js";
import { Api, type WireCall } from "./call.js";
import { demand } from "./protocolErrors.js";

/** What the broker's program supports, by feature name: the highest level. Empty before Kafka 2.7, and without metadata.version before KRaft. */
export const SUPPORTED_FEATURES: WireCall<ReadonlyMap<string, number>> = {
  api: Api.apiVersions,
  versions: [3, 3],
  flexibleFrom: 3,
  // The client's name and version, no tagged fields.
  body: () => [new WireWriter().compactString("godwit").compactString("0").int8(0).finish()],
  read(reader) {
    demand(reader.int16(), "features");
    reader.compactArray(() => {
      for (let number = 0; number < 3; number++) reader.int16();
      reader.tagged();
    });
    reader.int32();
    const supported = reader.tagged().get(0);
    const features = supported?.compactArray(() => {
      const name = supported.compactString();
      supported.int16();
      const highest = supported.int16();
      supported.tagged();
      return [name, highest] as const;
    });
    return new Map(features ?? []);
  },
};
