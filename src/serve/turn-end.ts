/** What is done when this turn of the event loop has read everything that came: requests that came together go together, and a lone one waits for nothing. */

let tasks: (() => void)[] = [];

/** Runs `task`, which throws nothing, once sockets have been read. What is asked for by such tasks is done in the same turn. */
export function atTurnEnd(task: () => void): void {
  if (tasks.push(task) === 1) setImmediate(runAll);
}

function runAll(): void {
  for (let k = 0; k < tasks.length; k++) tasks[k]();
  tasks = [];
}
