/** A real Ray on this machine: a head without CPUs and nodes beside it, all ended by whoever started them. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { canConnect, freePort } from './ports.ts';
import { diskOf, logFolders } from './ray-disk.ts';
import { createNetwork } from './ray-network.ts';
import { drain, watchNodes } from './ray-nodes.ts';

const PYTHON = process.env.OPERANT_RAY_PYTHON ?? 'python3';

/** Null where there is no Ray. With OPERANT_REQUIRE_RAY=1 that is a failure. */
export function findRay(): string | null {
  const { status, stdout, stderr } = spawnSync(PYTHON, ['-c', 'import ray, numpy; print(ray.__version__)'], {
    encoding: 'utf8',
  });
  if (status === 0) return stdout.trim();
  if (process.env.OPERANT_REQUIRE_RAY === '1') throw new Error(`OPERANT_REQUIRE_RAY=1, but: ${stderr}`);
  process.stderr.write(
    `No Ray for ${PYTHON}: tests of clusters are skipped (set OPERANT_RAY_PYTHON to a Python with ray and numpy).\n`,
  );
  return null;
}

type ProcessKind = 'rollout' | 'trial' | 'actor';

export interface RayCluster {
  /** HOST:PORT of the head, and ray://HOST:PORT for Ray's client. */
  readonly address: string;
  readonly clientAddress: string;
  /** URL of the dashboard; null = none was asked for. */
  readonly dashboard: string | null;
  /** Folders of what Ray's processes write, by node: `head`, and others in the order in which they were started, also those that have ended. Gone when the cluster is. */
  readonly logs: ReadonlyMap<string, string>;
  /** Processes of hosts: Node, of a rollout or a trial, or the actors that own it. */
  pids(kind: ProcessKind): number[];
  /** Of the node numbered from 0: `ray start`, whose child is the raylet. */
  readonly nodes: readonly ChildProcess[];
  /** Everything that runs on a node, its raylet first. */
  pidsOfNode(k: number): number[];
  /** Ends what is left of a node and starts another in its place; resolves when it has joined. */
  restartNode(k: number): Promise<void>;
  /** Starts one more; resolves to its number when it has joined. */
  addNode(): Promise<number>;
  /** Brings the cluster to so many nodes, none of which has been given notice: their numbers. */
  haveNodes(numNodes: number): Promise<readonly number[]>;
  /** Ends all that runs on a node; resolves when the head has noticed. */
  removeNode(k: number): Promise<void>;
  /** Gives notice to a node, as a cloud does before it takes a spot machine away. */
  drainNode(k: number): Promise<void>;
  /** Takes a node's link away, or gives it back. Needs `inNamespaces`. */
  setLink(k: number, state: 'up' | 'down'): void;
  readonly head: ChildProcess;
  stop(): Promise<void>;
}

export interface ClusterSetup {
  readonly numNodes?: number;
  /** Of each node beside the head. */
  readonly numCpus?: number;
  readonly env?: NodeJS.ProcessEnv;
  /** Of the nodes beside the head. */
  readonly nodeEnv?: NodeJS.ProcessEnv;
  /** Whether the head has a dashboard, and with it jobs. */
  readonly hasDashboard?: boolean;
  /** Each node in a network namespace of its own, as if it were another machine. Needs root; the address is then not loopback. */
  readonly inNamespaces?: boolean;
}

/** What a test leaves when it ran out of time would be in the next one's way: the pipe closes with the test's process. In a grandchild, so that the node has none but its own. */
const ENDS_WITH_US =
  'exec 3<&0; (({ read -ru 3; kill $$; }) >/dev/null 2>&1 &); exec "$0" "$@" 3<&- </dev/null';

/** So that a lost node is noticed in seconds, a slow one comes up, and nobody asks for the token that Ray wants by default. */
const FAST = {
  RAY_AUTH_MODE: 'disabled',
  RAY_health_check_initial_delay_ms: '1000',
  RAY_health_check_period_ms: '1000',
  RAY_health_check_timeout_ms: '10000', // who is gone refuses at once; who is only slow must not count as gone
  RAY_health_check_failure_threshold: '3',
  RAY_USAGE_STATS_ENABLED: '0',
  RAY_worker_niceness: '0', // 15 by default, which on a machine that does other work is next to nothing
  // a machine that does other work takes its time: a raylet gives up on its agent after 45 s, and the head on that
  RAY_agent_register_timeout_ms: '600000',
  RAY_raylet_start_wait_time_s: '200',
};

export async function startRayCluster({
  numNodes = 2,
  numCpus = 4,
  env = {},
  nodeEnv = {},
  hasDashboard = false,
  inNamespaces = false,
}: ClusterSetup = {}): Promise<RayCluster> {
  process.env.OPERANT_PYTHON = PYTHON;
  Object.assign(process.env, { RAY_AUTH_MODE: 'disabled' }, env);
  const folder = mkdtempSync(join(tmpdir(), 'op-ray-'));
  const ray = installedRay();
  const port = await freePort();
  const network = inNamespaces ? createNetwork(numNodes) : null;
  const address = `${network?.headIp ?? '127.0.0.1'}:${port}`;
  const common = [
    ...['--disable-usage-stats', '--block', '--object-store-memory', '150000000'],
    ...['--include-log-monitor', 'false'], // a process more for each, and nobody reads what it says
    // Any that are free, whoever else is on this machine.
    ...['--min-worker-port', '0', '--max-worker-port', '0', '--dashboard-agent-listen-port', '0'],
  ];
  const start = (args: readonly string[], more: NodeJS.ProcessEnv, place: readonly string[] = []) => {
    const [program, ...words] = [...place, ray.command, 'start', ...args, ...common];
    return spawn('bash', ['-c', ENDS_WITH_US, program, ...words], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
      env: { ...process.env, ...FAST, ...env, ...more },
    });
  };
  let numStarted = 0;
  const startNode = (k: number) => {
    const place = network === null ? [] : ['--node-ip-address', network.ipOf(k)];
    const name = ['--resources', JSON.stringify({ [nodeName(k)]: 1 })];
    const disk = diskOf(ray.version, join(folder, `${numStarted++}`), folder);
    return start(
      ['--address', address, '--num-cpus', `${numCpus}`, ...name, ...place, ...disk.args],
      nodeEnv,
      [...(network?.place(k) ?? []), ...disk.place],
    );
  };
  const dashboardPort = hasDashboard ? await freePort() : null;
  const dashboardArgs =
    dashboardPort === null
      ? ['--include-dashboard', 'false']
      : ['--include-dashboard', 'true', '--dashboard-port', `${dashboardPort}`];
  const own = network === null ? [] : ['--node-ip-address', network.headIp];
  const clientPort = await freePort(); // its default may be another cluster's
  const ports = ['--port', `${port}`, '--ray-client-server-port', `${clientPort}`];
  const headArgs = ['--head', ...ports, '--num-cpus', '0', ...own, ...dashboardArgs];
  const head = start([...headArgs, '--temp-dir', folder], {});
  const processes: ChildProcess[] = [head];
  let watcher: ReturnType<typeof watchNodes> | null = null;
  const drained = new Set<number>();
  const nodeOf = async (k: number) => {
    watcher ??= watchNodes(PYTHON, address);
    return (await watcher.nodes()).find(({ Alive, Resources }) => Alive && Resources[nodeName(k)] === 1);
  };
  const isAlive = async (k: number) => (await nodeOf(k)) !== undefined;
  const addNode = async () => {
    const k = processes.length - 1;
    processes.push(startNode(k));
    await until(() => isAlive(k), `node ${k}`);
    return k;
  };
  const removeNode = async (k: number) => {
    killNode(processes[k + 1]);
    await gone(processes[k + 1]);
    await until(async () => !(await isAlive(k)), `the end of node ${k}`);
  };
  const stop = async () => {
    watcher?.stop();
    for (const child of processes) killNode(child);
    await Promise.all(processes.map((child) => gone(child)));
    for (const pid of pidsWhere((each) => isIn(folder, each))) kill(pid);
    rmSync(folder, { recursive: true, force: true });
    network?.remove();
  };
  try {
    await until(() => canConnect(port, network?.headIp), `the head at ${address}`);
    if (dashboardPort !== null) await until(() => canConnect(dashboardPort), 'the dashboard');
    await Promise.all(Array.from({ length: numNodes }, addNode));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    address,
    clientAddress: `ray://${network?.headIp ?? '127.0.0.1'}:${clientPort}`,
    dashboard: dashboardPort === null ? null : `http://127.0.0.1:${dashboardPort}`,
    get logs() {
      return logFolders(folder, numStarted);
    },
    head,
    get nodes() {
      return processes.slice(1);
    },
    pidsOfNode: (k) => descendants(processes[k + 1].pid ?? -1),
    async restartNode(k) {
      await removeNode(k);
      processes[k + 1] = startNode(k);
      await until(() => isAlive(k), `node ${k}`);
    },
    addNode,
    removeNode,
    async haveNodes(numWanted) {
      const isThere = await Promise.all(processes.slice(1).map((_, k) => isAlive(k)));
      const there = [...isThere.keys()].filter((k) => isThere[k]);
      const good = there.filter((k) => !drained.has(k)).slice(0, numWanted);
      await Promise.all(there.filter((k) => !good.includes(k)).map(removeNode));
      while (good.length < numWanted) good.push(await addNode());
      return good;
    },
    async drainNode(k) {
      drained.add(k);
      drain(ray.command, address, (await nodeOf(k))?.NodeID ?? '');
    },
    setLink: (k, state) => network?.setLink(k, state),
    pids: (kind) => pidsWhere((pid) => isIn(folder, pid) && isKind(pid, kind)),
    stop,
  };
}

/** A resource of the node numbered from 0, by which it is known again. */
const nodeName = (k: number) => `operant-node-${k}`;

function installedRay() {
  const ask = 'import sys; from importlib.metadata import version; print(sys.executable, version("ray"))';
  const { stdout } = spawnSync(PYTHON, ['-c', ask], { encoding: 'utf8' });
  const [python, version] = stdout.trim().split(' ');
  return { command: join(dirname(python), 'ray'), version };
}

/** Children, their children, and so on, each before its own. */
function descendants(pid: number): number[] {
  const children = pidsWhere((each) => parentOf(each) === pid);
  return children.flatMap((child) => [child, ...descendants(child)]);
}

export const parentOf = (pid: number) =>
  Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')[1]);

/** Whether it runs in a folder of the cluster's: actors and what they start. */
const isIn = (folder: string, pid: number) => readlinkSync(`/proc/${pid}/cwd`).startsWith(folder);

/** Bridges that this process has started. */
export function bridgePids(): number[] {
  return pidsWhere((pid) => {
    return parentOf(pid) === process.pid && commandOf(pid).includes('ray_bridge.py');
  });
}

function pidsWhere(isMeant: (pid: number) => boolean): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return isMeant(pid);
      } catch {
        return false; // it has ended, or is not ours
      }
    });
}

const commandOf = (pid: number) => readFileSync(`/proc/${pid}/cmdline`, 'utf8');

const COMMANDS: Readonly<Record<ProcessKind, RegExp>> = {
  rollout: /host-process\.[jt]s/,
  trial: /trial-host\.[jt]s/,
  actor: /^ray::RolloutHost/,
};

const isKind = (pid: number, kind: ProcessKind): boolean => COMMANDS[kind].test(commandOf(pid));

/** `ray start` and all that it has started. */
function killNode({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  for (const each of descendants(pid)) kill(each);
  kill(-pid);
}

export function kill(pid: number, signal: NodeJS.Signals = 'SIGKILL'): void {
  try {
    process.kill(pid, signal);
  } catch {
    // it has ended
  }
}

async function gone(child: ChildProcess): Promise<void> {
  while (child.exitCode === null && child.signalCode === null) await pause(20);
}

async function until(isSo: () => Promise<boolean>, what: string): Promise<void> {
  for (let k = 0; k < 1800; k++) {
    if (await isSo()) return;
    await pause(100);
  }
  throw new Error(`Waited in vain for ${what}.`);
}
