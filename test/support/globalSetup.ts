import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startWatchdog } from "./watchdog.js";

/** Gives all test files of one run a folder to share what is slow to make (the packed tarball, installed programs). */
export default async function shareRunFolder(): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), "godwit-run-"));
  process.env.GODWIT_TEST_RUN = folder;
  const watchdog = startWatchdog('rm -rf "$1"', [folder]);
  return () => {
    watchdog.trigger();
    return watchdog.ended;
  };
}
