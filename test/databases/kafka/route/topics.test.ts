import { describe, expect, it } from "vitest";
import { collidingNames, topicName, topicNameProblem } from "../../../../provider/databases/kafka/route/topicNames.js";
import { creationOf } from "../../../../provider/databases/kafka/route/topicPlan.js";

describe("a topic's name", () => {
  it("takes database, schema and table in any place, as they are", () => {
    expect(topicName("{database}.{schema}.{table}", "shop", { schema: "public", name: "a$b" })).toBe("shop.public.a$b");
    expect(topicName("cdc_{table}_{table}", "shop", { schema: "public", name: "$&" })).toBe("cdc_$&_$&");
    expect(topicName("all", "shop", { schema: "public", name: "t" })).toBe("all");
  });

  it("is refused for what Kafka refuses it for", () => {
    for (const good of ["a", "A-1_b.c", "x".repeat(249)]) expect(topicNameProblem(good)).toBeUndefined();
    for (const bad of ["", ".", "..", "a b", "é", "a/b", "x".repeat(250)]) expect(topicNameProblem(bad)).toBeDefined();
  });

  it("collides with another that differs only in dots and underscores, not with itself", () => {
    expect(collidingNames(["a.b", "a_b", "c", "c", "a.c"])).toEqual([["a.b", "a_b"]]);
  });
});

describe("a new topic", () => {
  const settings = { format: "canal-json", compression: "lz4", partitioning: "primaryKey", acks: "all", topic: "t" } as const;
  const createTopics = { partitions: 6, replicationFactor: 3 };

  it("is what its table asks for, else what the task does, else one partition on as many brokers as they want", () => {
    expect(creationOf({ asked: [2], askedReplicas: [1] }, { ...settings, createTopics })).toEqual({
      partitions: 2,
      replicationFactor: 1,
    });
    expect(creationOf({ asked: [], askedReplicas: [] }, { ...settings, createTopics })).toEqual(createTopics);
    expect(creationOf({ asked: [], askedReplicas: [] }, settings)).toEqual({ partitions: 1 });
  });
});
