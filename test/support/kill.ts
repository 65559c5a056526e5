import { listProcesses } from "./leftovers.js";

/** kill -9 of a task's worker, or of its supervisor. Returns false when there was none to kill. */
export async function killProcess(home: string, title: "worker" | "supervisor"): Promise<boolean> {
  let killed = false;
  for (const { pid, command } of await listProcesses(home)) {
    // Either has given itself its title, or is still called by the script it runs.
    if (!command.startsWith(`godwit ${title}`) && !command.includes(`runner/${title}.js`)) continue;
    try {
      process.kill(pid, "SIGKILL");
      killed = true;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== "ESRCH") throw cause;
    }
  }
  return killed;
}
