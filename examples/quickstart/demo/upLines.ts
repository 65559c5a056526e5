/** What a resource prints shows as a message of the stack: `... Stack quickstart-dev creating (5s) MigrationTask: schema: starting`. */
const MESSAGE = /pulumi:pulumi:Stack \S+ (?:creating|updating|deleting|running)(?: \(\S+\))? (\w+: .+)/;
const DONE = /^ ?[+~-]+ +\S*godwit:(\w+) (\S+) (created|updated|replaced|deleted) \(([^)]+)\)/;

/** Picks out of what the CLI prints, piece by piece, what tells a person how the operation goes on. */
export function upLines(show: (line: string) => void): (text: string) => void {
  let rest = "";
  return (text) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const message = MESSAGE.exec(line)?.[1];
      const [, type, name, done, time] = DONE.exec(line) ?? [];
      if (message) show(`| ${message.trim()}`);
      else if (type && done !== "deleted") show(`| ${type} ${name} ${done} in ${time}`);
    }
  };
}
