/** What a test asks of Ray itself: which nodes there are, and to give one notice. */
import { spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';

interface RayNode {
  readonly NodeID: string;
  readonly Alive: boolean;
  readonly Resources: Readonly<Record<string, number>>;
}

/** One process that answers each line with the nodes, so that not every question costs a start of Python. It asks the head, as `ray memory` does, and is no driver: that would cost seconds. */
export function watchNodes(python: string, address: string) {
  const script = `import json, sys, time
from ray._private.internal_api import get_state_from_address
for attempt in range(180):
    try:
        state = get_state_from_address("${address}")
        state.node_table()
        break
    except Exception:  # the head does not answer yet
        time.sleep(0.2)
for line in sys.stdin:
    print(json.dumps([{key: node[key] for key in ("NodeID", "Alive", "Resources")} for node in state.node_table()]), flush=True)
`;
  const child = spawn(python, ['-c', script], { stdio: ['pipe', 'pipe', 'ignore'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  child.stdin.on('error', () => undefined);
  return {
    async nodes(): Promise<RayNode[]> {
      child.stdin.write('\n');
      for (;;) {
        const { value, done } = await lines.next();
        if (done === true) throw new Error(`Ray at ${address} did not let itself be joined.`);
        if (/^\[[{\]]/.test(value)) return JSON.parse(value); // Ray has things to say, too
      }
    },
    stop: () => void child.kill('SIGKILL'),
  };
}

/** As a cloud does before it takes a spot machine away. @param ray the command. */
export function drain(ray: string, address: string, nodeId: string): void {
  const words = ['drain-node', '--address', address, '--node-id', nodeId];
  const why = ['--reason', 'DRAIN_NODE_REASON_PREEMPTION', '--reason-message', 'a test'];
  const when = ['--deadline-remaining-seconds', '600'];
  const { status, stderr } = spawnSync(ray, [...words, ...why, ...when], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ray drain-node: ${stderr}`);
}
