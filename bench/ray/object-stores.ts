/** What lies in the object stores of a cluster, node by node, and what Ray knows of it. */
import { spawn } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { RayCluster } from '../../test/cluster/ray-cluster.ts';

const PYTHON = process.env.OPERANT_RAY_PYTHON ?? 'python3';
const MIB = 2 ** 20;
/** Ray frees what has gone out of scope once a second, and what a dead process owned when it has heard of its death: after so long it is not freed any more. */
const SETTLED_MS = 10_000;
const LOOK_EVERY_MS = 250;
/** Raylets write down what their store has so often. */
const TOLD_EVERY_MS = 10_000;

/** Of a cluster whose stores are looked into. */
export const TELLING = { RAY_event_stats_print_interval_ms: `${TOLD_EVERY_MS}` };

/** A process that keeps something large alive. */
interface Reference {
  readonly id: string;
  readonly bytes: number;
  readonly pid: number;
  /** By its own variables, and by calls that it has made. */
  readonly numLocal: number;
  readonly numSubmitted: number;
  /** It looks at the memory itself. */
  readonly isMapped: boolean;
  /** Empty unless RAY_record_ref_creation_sites is 1. */
  readonly site: string;
}

interface ObjectStore {
  /** Id of its node. */
  readonly node: string;
  readonly numObjects: number;
  readonly numBytes: number;
  /** Of the objects, those that the raylet keeps for their owner: they are not evicted. */
  readonly numPinned: number;
  readonly references: readonly Reference[];
}

export type Stores = readonly ObjectStore[];

export const numObjects = (stores: Stores) => stores.reduce((sum, each) => sum + each.numObjects, 0);
export const megabytes = (stores: Stores) => stores.reduce((sum, each) => sum + each.numBytes, 0) / MIB;

export interface StoreWatch {
  /** What is left: as soon as there are no more objects than `expected`, or after ten seconds. */
  settled(expected: number): Promise<Stores>;
  /** In words, where something is left: where, how much, whose, and whether Ray takes the room for something else when it needs it. Takes ten seconds. */
  describe(stores: Stores): Promise<string>;
  stop(): void;
}

export function watchStores(cluster: RayCluster): StoreWatch {
  const script = fileURLToPath(new URL('./object_stores.py', import.meta.url));
  const child = spawn(PYTHON, [script, cluster.address], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const look = async (): Promise<Stores> => {
    child.stdin.write('\n');
    for (;;) {
      const { value, done } = await lines.next();
      if (done === true) throw new Error('Nobody looks into the object stores any more.');
      if (value.startsWith('[{')) return JSON.parse(value) as Stores;
    }
  };
  return {
    async settled(expected) {
      const begin = performance.now();
      for (;;) {
        const stores = await look();
        if (numObjects(stores) <= expected || performance.now() - begin >= SETTLED_MS) return stores;
        await pause(LOOK_EVERY_MS);
      }
    },
    async describe(stores) {
      await pause(TOLD_EVERY_MS + 1_000);
      const told = toldByRaylets([...cluster.logs.values()]);
      return stores
        .filter((each) => each.numObjects > 0)
        .map((each) => describeStore(each, told.get(each.node) ?? 'its raylet says nothing'))
        .join('; ');
    },
    stop: () => void child.stdin.end(),
  };
}

function describeStore(
  { node, numObjects: count, numBytes, numPinned, references }: ObjectStore,
  told: string,
) {
  const whose = references.map(
    ({ id, bytes, pid, numLocal, numSubmitted, isMapped, site }) =>
      `${id} (${(bytes / MIB).toFixed(1)} MiB) by process ${pid}: ${numLocal} variables, ${numSubmitted} calls${isMapped ? ', mapped' : ''}${site === '' ? '' : `, from ${site}`}`,
  );
  return `node ${node.slice(0, 8)}: ${count} of ${(numBytes / MIB).toFixed(1)} MiB in all, ${numPinned} kept for their owner (${told}); referred to: ${whose.join(', ') || 'by nobody'}`;
}

/** What a raylet counts of its objects: by whether anybody uses them, and by who has written them. */
const COUNTED = ['unsealed', 'in use', 'evictable', 'created by worker', 'received'];

/** Copies what Ray has written, each node's into a folder of its own. */
export function keepLogs(cluster: RayCluster, target: string): void {
  for (const [node, logs] of cluster.logs)
    cpSync(realpathSync(logs), join(target, node), { recursive: true });
}

/** By node, what each raylet has said last. @param logs folders of the nodes; nodes that share a folder have a file each. */
function toldByRaylets(logs: readonly string[]): Map<string, string> {
  const told = new Map<string, string>();
  const files = logs.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)));
  for (const file of files.filter((each) => /\/raylet[.\d]*\.out$/.test(each))) {
    const text = readFileSync(file, 'utf8');
    const [, node] = /Initializing NodeManager node_id=([0-9a-f]+)/.exec(text) ?? [];
    const last = text.slice(text.lastIndexOf('Plasma store debug dump'));
    const counts = COUNTED.map((what) => {
      const [, count] = new RegExp(`^- objects ${what}: (\\d+)`, 'm').exec(last) ?? [];
      return `${what} ${count ?? '?'}`;
    });
    if (node !== undefined) told.set(node, counts.join(', '));
  }
  return told;
}
