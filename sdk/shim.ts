import type { dynamic } from "@pulumi/pulumi";
import type { ResourceType } from "../provider/resources/index.js";

/**
 * What Pulumi serializes into the state of every stack, as `__provider`. It captures the resource's name and nothing else, and is
 * byte-identical from version to version: a changed shim would be a change of every resource, and a captured module or secret would
 * end up in the state. The package is found by its name when a method runs.
 */
export function shim(resourceType: ResourceType): dynamic.ResourceProvider {
  return {
    check: async (olds, news) => (await import("godwit/provider")).call(resourceType, "check", olds, news),
    diff: async (id, olds, news) => (await import("godwit/provider")).call(resourceType, "diff", id, olds, news),
    create: async (inputs) => (await import("godwit/provider")).call(resourceType, "create", inputs),
    read: async (id, props) => (await import("godwit/provider")).call(resourceType, "read", id, props),
    update: async (id, olds, news) => (await import("godwit/provider")).call(resourceType, "update", id, olds, news),
    delete: async (id, props) => (await import("godwit/provider")).call(resourceType, "delete", id, props),
  };
}
