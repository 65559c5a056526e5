import type { Chunk, RowFormat, RowLoader, RowReader, RowSink, Snapshot, SourceDatabase, TargetDatabase } from "./database.js";
import type { LoadProgress } from "./loadProgress.js";
import type { PlannedTable } from "./models/plan.js";
import type { ConflictMode, ParallelismSettings } from "./taskDefinition.js";
import type { TableRecord, TaskLease } from "./taskStore.js";

export interface FullLoad {
  readonly source: SourceDatabase;
  readonly target: TargetDatabase;
  readonly lease: TaskLease;
  readonly snapshot: Snapshot;
  /** Tables not loaded yet. */
  readonly tables: readonly TableRecord[];
  /** The plans have followed the source's changes of structure up to the snapshot. */
  readonly followed: boolean;
  readonly conflictMode: ConflictMode;
  readonly parallelism: ParallelismSettings;
  readonly progress: LoadProgress;
  /** Waits until so many rows and bytes may pass; undefined when they may now. */
  readonly throttle: (rows: number, bytes: number) => Promise<void> | undefined;
  /** Waits until another query may go to the source. */
  readonly admitQuery: () => Promise<void> | undefined;
  readonly signal: AbortSignal;
}

interface Job {
  readonly load: TableLoad;
  readonly chunk: Chunk;
}

interface TableLoad {
  readonly record: TableRecord;
  readonly format: RowFormat;
  readonly whole: boolean;
  chunksLeft: number;
  /** It is not what the snapshot saw any more, or not what the plan says: it waits for another snapshot. */
  waits: boolean;
}

/**
 * Copies the rows of all given tables from one snapshot, the largest first, over as many pairs of connections as
 * `parallelism.tables` says. A table much larger than its share is split into chunks, so that the last table does not run alone. Any failure ends all
 * copies (those under way roll back) and goes to the caller; what was recorded as loaded stays. Resolves with the tables that were changed under the snapshot,
 * or before it without the plan: of those nothing is loaded.
 */
export async function runFullLoad(load: FullLoad): Promise<readonly TableRecord[]> {
  const jobs = await planJobs(load);
  const loads = new Set(jobs.map((job) => job.load));
  const stop = new AbortController();
  const failures: unknown[] = [];
  const lanes = Array.from({ length: Math.min(load.parallelism.tables, jobs.length) }, () =>
    runLane(load, jobs, stop.signal).catch((cause: unknown) => {
      failures.push(cause);
      stop.abort();
    }),
  );
  await Promise.all(lanes);
  if (failures.length > 0) throw failures[0];
  load.signal.throwIfAborted();
  return [...loads].filter(({ waits }) => waits).map(({ record }) => record);
}

async function planJobs({ source, target, tables, conflictMode, parallelism, lease }: FullLoad): Promise<Job[]> {
  const formats = await target.rowFormats(tables.map(({ table }) => table));
  const share = tables.reduce((sum, { table }) => sum + table.bytes, 0) / parallelism.tables;
  const jobs: Job[] = [];
  for (const record of [...tables].sort((a, b) => b.table.bytes - a.table.bytes)) {
    const atMost = chunkCount(record.table, share, conflictMode, parallelism);
    const chunks = atMost > 1 ? await source.chunks(record.table, atMost) : [{ index: 0, condition: undefined }];
    const whole = chunks.length === 1;
    const tableLoad = { record, format: formats.get(record.table.id) ?? "text", whole, chunksLeft: chunks.length, waits: false };
    // One that an earlier attempt loaded in part is emptied, also when it has become small enough to be loaded whole.
    if (!whole || record.state === "loading") {
      // The order matters: a crash between the two must not take the rows of others for this task's own.
      const loader = await target.openLoader();
      try {
        await loader.prepare(record.table, record.state === "loading");
      } finally {
        await loader.close();
      }
      await lease.setTableLoading(record.table.id);
    }
    for (const chunk of chunks) jobs.push({ load: tableLoad, chunk });
  }
  return jobs;
}

const SMALLEST_CHUNK_BYTES = 64 * 1024 * 1024;

/**
 * A table loaded whole can be written frozen and needs no clearing after a crash, so only what exceeds a lane's share is split. Under
 * ignoreAndProceed rows of two snapshots could not be told from the target's own, so nothing is split there.
 */
export function chunkCount(
  table: Pick<PlannedTable, "bytes">,
  share: number,
  conflictMode: ConflictMode,
  parallelism: Pick<ParallelismSettings, "chunksPerTable" | "tables">,
): number {
  if (conflictMode === "ignoreAndProceed" || parallelism.tables < 2 || table.bytes <= share * 1.25) return 1;
  const fair = Math.ceil((table.bytes / share) * 4);
  return Math.max(1, Math.min(fair, Math.floor(table.bytes / SMALLEST_CHUNK_BYTES), parallelism.chunksPerTable));
}

async function runLane(load: FullLoad, jobs: Job[], stopped: AbortSignal): Promise<void> {
  let reader: RowReader | undefined;
  let loader: RowLoader | undefined;
  try {
    reader = await load.source.openReader(load.snapshot);
    loader = await load.target.openLoader();
    for (let job = jobs.shift(); job; job = jobs.shift()) {
      if (stopped.aborted || load.signal.aborted) return;
      if (job.load.waits) continue;
      // A table that comes in one piece is over before it could be held back: the next one waits for what it was too much.
      await load.throttle(0, 0);
      await load.admitQuery();
      if ((await reader.hold?.(job.load.record.table, load.followed)) ?? true) await runJob(load, job, reader, loader, stopped);
      else {
        job.load.waits = true;
        load.progress.reset(job.load.record.table.id);
      }
      await reader.letGo?.();
    }
  } finally {
    await Promise.allSettled([reader?.close(), loader?.close()]);
  }
}

async function runJob(load: FullLoad, job: Job, reader: RowReader, loader: RowLoader, stopped: AbortSignal): Promise<void> {
  const { lease, snapshot, progress, conflictMode } = load;
  const { record, format, whole } = job.load;
  const { table } = record;
  let counted = 0;
  let bytes = 0;
  const measured = (sink: RowSink): RowSink => ({
    write(frames, rows) {
      stopped.throwIfAborted();
      load.signal.throwIfAborted();
      counted += rows;
      bytes += frames.length;
      progress.moved(table.id, rows, frames.length);
      const written = sink.write(frames, rows);
      const admitted = load.throttle(rows, frames.length);
      return written && admitted ? Promise.all([written, admitted]).then(() => undefined) : (written ?? admitted);
    },
  });
  progress.started(table.id);
  await loader.load(
    table,
    { conflictMode, format, whole, position: snapshot.position },
    async (sink) => {
      const rows = await reader.read(table, job.chunk, format, measured(sink));
      progress.corrected(table.id, counted - rows);
      return rows;
    },
    (rows) => {
      const added = lease.statements.chunkLoaded(table.id, rows, bytes);
      return whole ? `${added}; ${lease.statements.tableLoaded(table.id, snapshot.position)}` : added;
    },
  );
  job.load.chunksLeft--;
  if (job.load.chunksLeft > 0 || job.load.waits) return;
  if (!whole) await lease.run(lease.statements.tableLoaded(table.id, snapshot.position));
  progress.loaded(table.id);
}
