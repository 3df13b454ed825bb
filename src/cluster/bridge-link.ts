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
/** Of a cluster that was joined before: a head that is busy gives Ray's client no server of its own within Ray's 30 s. */
const MAX_REJOINS = 3;

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
  const state = { cluster: null as ClusterDescription | null, isStopping: false };
  let current: Promise<Bridge> | null = null;
  let live: Bridge | null = null;
  // By `auto` the cluster itself says where its head is. Ray's client may reach no other port of the head's than its own.
  const where = () =>
    address.hostPort !== null || state.cluster === null ? address : parseRayAddress(state.cluster.head);
  const probe = () => probeAddress(where());
  const join = async (): Promise<Bridge> => {
    await probe();
    const bridge = startBridge(traffic);
    live = bridge;
    try {
      state.cluster = await bridge.connect(settings(), CONNECT_DEADLINE_MS);
    } catch (error) {
      live = null; // whoever asks meanwhile waits for what comes of it
      await bridge.end();
      throw error;
    }
    return bridge;
  };
  const start = async (): Promise<Bridge> => {
    const numTries = state.cluster === null ? 1 : MAX_REJOINS;
    for (let k = 1; ; k++) {
      try {
        return await join();
      } catch (error) {
        if (!(error instanceof RequestFailure)) throw error;
        const isLast = k === numTries || state.isStopping;
        if (error.code !== 'CONNECT' || isLast) throw toClusterError(error, address.text);
      }
    }
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
      state.isStopping = true;
      await current?.catch(() => undefined);
      await live?.end();
      current = null;
      state.isStopping = false;
    },
  };
}
