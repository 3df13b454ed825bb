/** What a test asks of Ray itself: which nodes there are, and to give one notice. */
import { spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';

interface RayNode {
  readonly NodeID: string;
  readonly Alive: boolean;
  readonly Resources: Readonly<Record<string, number>>;
}

/** One process that answers each line with the nodes, so that not every question costs a start of Python and Ray. */
export function watchNodes(python: string, address: string) {
  const script = `import json, sys, time, ray
for attempt in range(180):
    try:
        ray.init("${address}", log_to_driver=False, logging_level="ERROR")
        break
    except Exception:  # the head takes connections before it has a node
        ray.shutdown()  # Ray 2.54 goes on failing otherwise
        time.sleep(1)
for line in sys.stdin:
    print(json.dumps([{key: node[key] for key in ("NodeID", "Alive", "Resources")} for node in ray.nodes()]), flush=True)
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
        if (value.startsWith('[{')) return JSON.parse(value); // Ray has things to say, too
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
