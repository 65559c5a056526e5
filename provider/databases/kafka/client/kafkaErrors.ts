import { ErrorCode, GodwitError } from "../../../engine/errors.js";
import { ErrorNumber, isPassing, ProtocolError } from "./wire/protocolErrors.js";

/**
 * A broker's answer, or kafkajs's error about one, as an error with a code and what mends it. `user` is named in remedies. A GodwitError stays what it is.
 */
export function kafkaError(cause: unknown, about: string, user: string | undefined): GodwitError {
  if (cause instanceof GodwitError) return cause;
  const { code, name, message } = cause as { code?: unknown; name?: string; message: string };
  const object = cause instanceof ProtocolError ? cause.about : about;
  const detail = { object, cause };
  if (cause instanceof ProtocolError || (name?.startsWith("KafkaJS") && typeof code === "number")) {
    return protocolError(code as number, message, detail, principal(user));
  }
  // kafkajs: one error for each of several topics.
  const [first] = (cause as { errors?: unknown[] }).errors ?? [];
  if (name === "KafkaJSAggregateError" && first instanceof Error) return kafkaError(first, about, user);
  // kafkajs: its retries are used up; the error that was the last says why.
  const inner = (cause as { cause?: unknown }).cause;
  if (name === "KafkaJSNumberOfRetriesExceeded" && inner instanceof Error) return kafkaError(inner, about, user);
  if (name === "KafkaJSSASLAuthenticationError") {
    return new GodwitError(ErrorCode.AuthenticationFailed, `the broker refused user "${user}": ${message}`, {
      ...detail,
      remedy: "check username, password and kafka.saslMechanism of the endpoint",
    });
  }
  if (/^KafkaJS(Connection|RequestTimeout|BrokerNotFound|GroupCoordinatorNotFound|LockTimeout)/.test(name ?? "")) {
    return new GodwitError(ErrorCode.ConnectionLost, message, {
      ...detail,
      remedy: "check that the brokers are up and reachable",
    });
  }
  return new GodwitError(ErrorCode.KafkaRefused, message, detail);
}

interface Detail {
  readonly object: string;
  readonly cause: unknown;
}

function protocolError(code: number, message: string, detail: Detail, principal: string): GodwitError {
  const acl = (what: string) => `kafka-acls.sh --add --allow-principal ${principal} ${what}`;
  switch (code) {
    case ErrorNumber.topicNotAuthorized:
      return new GodwitError(ErrorCode.KafkaNotPermitted, `the user may not use the topic: ${message}`, {
        ...detail,
        remedy: acl(
          "--operation Write --operation Read --operation Describe --operation DescribeConfigs --topic <topic> (Read for the topic that the position is kept with; and --operation Create where the task makes it)",
        ),
      });
    case ErrorNumber.groupNotAuthorized:
      return new GodwitError(ErrorCode.KafkaNotPermitted, `the user may not use the consumer group: ${message}`, {
        ...detail,
        remedy: acl("--operation Read --operation Describe --operation Delete --group <group>"),
      });
    case ErrorNumber.transactionalIdNotAuthorized:
      return new GodwitError(ErrorCode.KafkaNotPermitted, `the user may not use the transactional id: ${message}`, {
        ...detail,
        remedy: acl("--operation Write --operation Describe --transactional-id <id>"),
      });
    case ErrorNumber.clusterNotAuthorized:
      return new GodwitError(ErrorCode.KafkaNotPermitted, `the user may not do this in the cluster: ${message}`, {
        ...detail,
        remedy: acl("--operation Create --operation Describe --cluster"),
      });
    case ErrorNumber.unknownTopicOrPartition:
      return new GodwitError(
        ErrorCode.TopicMissing,
        `the topic or partition does not exist, or the user may not see it: ${message}`,
        {
          ...detail,
          remedy: "create the topic, or give the task kafka.createTopics",
        },
      );
    case ErrorNumber.messageTooLarge:
    case ErrorNumber.recordListTooLarge:
      return new GodwitError(ErrorCode.RecordTooLarge, `the record is larger than the topic takes: ${message}`, {
        ...detail,
        remedy:
          "raise max.message.bytes of the topic (and what its consumers fetch), or leave the wide column out (excludeColumns)",
      });
    case ErrorNumber.invalidProducerEpoch:
    case ErrorNumber.producerFenced:
    case ErrorNumber.coordinatorFenced:
      return new GodwitError(
        ErrorCode.ProducerFenced,
        `another producer took over, or the transaction timed out: ${message}`,
        detail,
      );
    case ErrorNumber.notEnoughReplicas:
    case ErrorNumber.notEnoughReplicasAfterAppend:
      return new GodwitError(ErrorCode.ReplicasMissing, `too few replicas are up: ${message}`, {
        ...detail,
        remedy: "start the brokers that are down, or lower min.insync.replicas of the topic",
      });
    case ErrorNumber.outOfOrderSequence:
    case ErrorNumber.unknownProducerId:
    case ErrorNumber.invalidTransactionState:
    case ErrorNumber.invalidProducerIdMapping:
      return new GodwitError(ErrorCode.TransactionBroken, `the transaction cannot go on: ${message}`, detail);
    case ErrorNumber.topicExists:
    case ErrorNumber.invalidTopic:
    case ErrorNumber.invalidReplicationFactor:
    case ErrorNumber.policyViolation:
    case 37:
    case 40:
      return new GodwitError(ErrorCode.TopicRefused, message, detail);
    case ErrorNumber.saslAuthenticationFailed:
      return new GodwitError(ErrorCode.AuthenticationFailed, message, detail);
    default:
      // A broker or coordinator that is moving, starting or gone is as good as a lost connection, and retried like one.
      return isPassing(code)
        ? new GodwitError(ErrorCode.ConnectionLost, `the cluster is not ready: ${message}`, detail)
        : new GodwitError(ErrorCode.KafkaRefused, message, detail);
  }
}

/** Who an ACL is for: of a user that logs in by a certificate alone, its whole subject, which only the broker knows. */
function principal(user: string | undefined): string {
  return user === undefined ? '"User:<subject of the client certificate>"' : `"User:${user}"`;
}
