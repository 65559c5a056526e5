import type * as protocol from "@pulumi/pulumi/proto/provider_pb.js";
import type { Diff, PropertyChange } from "../../resources/resource.js";
import { messages } from "./pulumiModules.js";

/** A resource's difference as Pulumi reads it. */
export function diffAnswer({ changes, replaces, deleteBeforeReplace, details }: Diff): protocol.DiffResponse {
  const { DIFF_NONE, DIFF_SOME } = messages.DiffResponse.DiffChanges;
  const answer = new messages.DiffResponse();
  answer.setChanges(changes ? DIFF_SOME : DIFF_NONE).setDeletebeforereplace(deleteBeforeReplace);
  if (!changes) return answer;
  answer.setReplacesList([...replaces]).setHasdetaileddiff(true);
  answer.setDiffsList([...new Set(details.map(({ property }) => property.split(/[.[]/)[0] ?? property))]);
  for (const detail of details) answer.getDetaileddiffMap().set(detail.property, propertyDiff(detail));
  return answer;
}

function propertyDiff({ kind, replaces, found }: PropertyChange): protocol.PropertyDiff {
  const { Kind } = messages.PropertyDiff;
  const kinds = {
    add: [Kind.ADD, Kind.ADD_REPLACE],
    delete: [Kind.DELETE, Kind.DELETE_REPLACE],
    update: [Kind.UPDATE, Kind.UPDATE_REPLACE],
  } as const;
  const answer = new messages.PropertyDiff();
  // What was found lies in the outputs; all else is between the former inputs and the new ones.
  return answer.setKind(kinds[kind][replaces ? 1 : 0]).setInputdiff(!found);
}
