import { createRequire } from "node:module";

/**
 * The gRPC library and the protocol's messages of the @pulumi/pulumi beside us. They are its dependencies, not ours, so they are looked for from
 * there: a package manager that does not hoist would not let us see them.
 */
const fromPulumi = createRequire(require.resolve("@pulumi/pulumi/package.json"));

export const grpc = fromPulumi("@grpc/grpc-js") as typeof import("@grpc/grpc-js");
export const { Struct } = fromPulumi(
  "google-protobuf/google/protobuf/struct_pb",
) as typeof import("google-protobuf/google/protobuf/struct_pb.js");
export const { Any } = fromPulumi(
  "google-protobuf/google/protobuf/any_pb",
) as typeof import("google-protobuf/google/protobuf/any_pb.js");
export const { Empty } = fromPulumi(
  "google-protobuf/google/protobuf/empty_pb",
) as typeof import("google-protobuf/google/protobuf/empty_pb.js");
export const messages = fromPulumi("./proto/provider_pb") as typeof import("@pulumi/pulumi/proto/provider_pb.js");
export const services = fromPulumi("./proto/provider_grpc_pb") as typeof import("@pulumi/pulumi/proto/provider_grpc_pb.js");
export const engineMessages = fromPulumi("./proto/engine_pb") as typeof import("@pulumi/pulumi/proto/engine_pb.js");
export const engineServices = fromPulumi("./proto/engine_grpc_pb") as typeof import("@pulumi/pulumi/proto/engine_grpc_pb.js");
export const pluginMessages = fromPulumi("./proto/plugin_pb") as typeof import("@pulumi/pulumi/proto/plugin_pb.js");
export const statusMessages = fromPulumi("./proto/status_pb") as typeof import("@pulumi/pulumi/proto/status_pb.js");

export type StructMessage = import("google-protobuf/google/protobuf/struct_pb.js").Struct;
