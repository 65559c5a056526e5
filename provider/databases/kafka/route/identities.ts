/**
 * The names that a task has in the cluster. All begin with `godwit_<task>`, so that one prefixed ACL covers them.
 *
 * The stream and each lane of the full load are producers of their own: a transactional id fences whoever had it before, and a consumer
 * group holds how far the id's committed transactions reach. No consumer ever joins these groups.
 */
export interface ProducerNames {
  readonly transactionalId: string;
  readonly groupId: string;
}

export function streamNames(taskId: string): ProducerNames {
  return { transactionalId: `godwit_${taskId}`, groupId: `godwit_${taskId}` };
}

/**
 * Tables loaded at once. Encoding is one thread's work, so more only divide it; a successor fences all of them, whatever number its
 * predecessor used.
 */
export const LOAD_LANES = 8;

export function laneNames(taskId: string, lane: number): ProducerNames {
  const name = `godwit_${taskId}_load_${lane}`;
  return { transactionalId: name, groupId: name };
}

export function allNames(taskId: string): readonly ProducerNames[] {
  return [streamNames(taskId), ...loadNames(taskId)];
}

export function loadNames(taskId: string): readonly ProducerNames[] {
  return Array.from({ length: LOAD_LANES }, (_, lane) => laneNames(taskId, lane));
}
