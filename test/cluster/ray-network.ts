/** Network namespaces, each with a link to this one: nodes that can be cut off as machines can. Needs root and `ip`. */
import { spawnSync } from 'node:child_process';

export interface Network {
  readonly headIp: string;
  ipOf(k: number): string;
  /** What runs a command on node k. */
  place(k: number): readonly string[];
  setLink(k: number, state: 'up' | 'down'): void;
  remove(): void;
}

const PREFIX = '10.77';

/** Whether namespaces can be made here. */
export function canMakeNetworks(): boolean {
  const name = `op-try-${process.pid}`;
  const isMade = spawnSync('ip', ['netns', 'add', name]).status === 0;
  if (isMade) spawnSync('ip', ['netns', 'delete', name]);
  return isMade;
}

/** A bridge of this machine's with the head on it, and a namespace for each node. */
export function createNetwork(numNodes: number): Network {
  const bridge = `opbr${process.pid % 10_000}`;
  const names = Array.from({ length: numNodes }, (_, k) => `op${process.pid}n${k}`);
  const link = (k: number) => `op${process.pid % 10_000}v${k}`;
  const headIp = `${PREFIX}.0.1`;
  const ipOf = (k: number) => `${PREFIX}.0.${k + 2}`;
  run('link', 'add', bridge, 'type', 'bridge');
  run('addr', 'add', `${headIp}/24`, 'dev', bridge);
  run('link', 'set', bridge, 'up');
  for (const [k, name] of names.entries()) {
    run('netns', 'add', name);
    run('link', 'add', link(k), 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
    run('link', 'set', link(k), 'master', bridge);
    run('link', 'set', link(k), 'up');
    run('-n', name, 'addr', 'add', `${ipOf(k)}/24`, 'dev', 'eth0');
    run('-n', name, 'link', 'set', 'eth0', 'up');
    run('-n', name, 'link', 'set', 'lo', 'up');
  }
  return {
    headIp,
    ipOf,
    place: (k) => ['ip', 'netns', 'exec', names[k]],
    setLink: (k, state) => run('link', 'set', link(k), state),
    remove() {
      for (const name of names) run('netns', 'delete', name);
      run('link', 'delete', bridge);
    },
  };
}

function run(...args: string[]): void {
  const { status, stderr } = spawnSync('ip', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr.trim()}`);
}
