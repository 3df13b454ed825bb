/** The learner's connection to a cluster: a bridge that is started anew when it dies, and the weights that it has been given. */
import { openWeightBuffer, type WeightBufferLayout, weightSlotBytes } from '../weights/weight-buffer.ts';
import {
  type Bridge,
  type BridgeSettings,
  type ClusterDescription,
  RequestFailure,
  startBridge,
} from './bridge.ts';
import { toClusterError } from './cluster-errors.ts';
import type { Traffic } from './cluster-meter.ts';
import { FrameType } from './frames.ts';
import { parseRayAddress, probeAddress, type RayAddress } from './ray-address.ts';

const CONNECT_DEADLINE_MS = 60_000;

export interface Connection {
  /** The bridge, connected; another one when the last has ended. @throws ClusterError, RequestFailure */
  bridge(): Promise<Bridge>;
  /** What the cluster was when it was joined. */
  readonly cluster: ClusterDescription | null;
  /**
   * Gives the bridge the weights of a version, once.
   *
   * @returns the version that is to be used: the newest when this one is no longer kept, as happens to a host that is so late that its fragment will be dropped.
   */
  putWeights(bridge: Bridge, version: number): number;
  /** @throws ClusterError when the head does not answer. */
  probe(): Promise<void>;
  stop(): Promise<void>;
}

export interface ConnectionOptions {
  readonly address: RayAddress;
  /** Made when they are first needed. */
  readonly settings: () => BridgeSettings;
  readonly buffer: ArrayBufferLike;
  readonly weights: WeightBufferLayout;
  /** Counted here. */
  readonly traffic: Traffic;
}

/** A version as frames count it: 0 is no weights. */
export const wireVersion = (version: number) => version + 1;

export function createConnection({
  address,
  settings,
  buffer,
  weights,
  traffic,
}: ConnectionOptions): Connection {
  const state = { cluster: null as ClusterDescription | null };
  const published = openWeightBuffer(buffer, weights);
  let current: Promise<Bridge> | null = null;
  let live: Bridge | null = null;
  const sent = new WeakMap<Bridge, Set<number>>();
  const probe = () => probeAddress(state.cluster === null ? address : parseRayAddress(state.cluster.head));
  const start = async (): Promise<Bridge> => {
    await probe();
    const bridge = startBridge(traffic);
    live = bridge;
    try {
      state.cluster = await bridge.connect(settings(), CONNECT_DEADLINE_MS);
    } catch (error) {
      await bridge.end();
      throw error instanceof RequestFailure ? toClusterError(error, address.text) : error;
    }
    sent.set(bridge, new Set());
    return bridge;
  };
  return {
    get cluster() {
      return state.cluster;
    },
    bridge() {
      if (current === null || live?.isOver === true) {
        live = null; // whoever else has lost the old one waits for the same new one
        const started = start();
        current = started;
        started.catch(() => {
          if (current === started) current = null;
        });
      }
      return current;
    },
    putWeights(bridge, asked) {
      const newest = published.version;
      const version = asked > newest - weights.slotAddresses.length ? asked : newest;
      const versions = sent.get(bridge);
      if (versions === undefined || versions.has(version)) return version;
      versions.add(version);
      const slot = Buffer.from(weightSlotBytes(buffer, weights, version)); // a copy: the slot may be written again before it is sent
      bridge.send(FrameType.WEIGHTS, { host: 0, incarnation: 0, version: wireVersion(version) }, slot);
      return version;
    },
    probe,
    async stop() {
      await current?.catch(() => undefined);
      await live?.end();
      current = null;
    },
  };
}
