/** A bridge that is started when it is needed, and anew when it has died. */
import {
  type Bridge,
  type BridgeSettings,
  type ClusterDescription,
  RequestFailure,
  startBridge,
} from './bridge.ts';
import { toClusterError } from './cluster-errors.ts';
import type { Traffic } from './cluster-meter.ts';
import { parseRayAddress, probeAddress, type RayAddress } from './ray-address.ts';

const CONNECT_DEADLINE_MS = 60_000;

export interface BridgeLink {
  /** The bridge, connected; another one when the last has ended. @throws ClusterError, RequestFailure */
  bridge(): Promise<Bridge>;
  /** What the cluster was when it was joined. */
  readonly cluster: ClusterDescription | null;
  /** @throws ClusterError when the head does not answer. */
  probe(): Promise<void>;
  stop(): Promise<void>;
}

export interface BridgeLinkOptions {
  readonly address: RayAddress;
  /** Made when they are first needed. */
  readonly settings: () => BridgeSettings;
  /** Counted here. */
  readonly traffic: Traffic;
}

export function createBridgeLink({ address, settings, traffic }: BridgeLinkOptions): BridgeLink {
  const state = { cluster: null as ClusterDescription | null };
  let current: Promise<Bridge> | null = null;
  let live: Bridge | null = null;
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
    probe,
    async stop() {
      await current?.catch(() => undefined);
      await live?.end();
      current = null;
    },
  };
}
