import { describe, expect, it } from "vitest";
import { collidingNames, topicName, topicNameProblem } from "../../../../provider/databases/kafka/route/topicNames.js";

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
