/** The learner's connection to a cluster: its bridge, and the weights that this has been given. */
import { openWeightBuffer, type WeightBufferLayout, weightSlotBytes } from '../weights/weight-buffer.ts';
import type { Bridge } from './bridge.ts';
import { type BridgeLink, type BridgeLinkOptions, createBridgeLink } from './bridge-link.ts';
import { FrameType } from './frames.ts';

export interface Connection extends BridgeLink {
  /**
   * Gives the bridge the weights of a version, once.
   *
   * @returns the version that is to be used: the newest when this one is no longer kept, as happens to a host that is so late that its fragment will be dropped.
   */
  putWeights(bridge: Bridge, version: number): number;
}

export interface ConnectionOptions extends BridgeLinkOptions {
  readonly buffer: ArrayBufferLike;
  readonly weights: WeightBufferLayout;
}

/** A version as frames count it: 0 is no weights. */
export const wireVersion = (version: number) => version + 1;

export function createConnection({ buffer, weights, ...options }: ConnectionOptions): Connection {
  const link = createBridgeLink(options);
  const published = openWeightBuffer(buffer, weights);
  const sent = new WeakMap<Bridge, Set<number>>();
  return {
    get cluster() {
      return link.cluster;
    },
    bridge: link.bridge,
    probe: link.probe,
    stop: link.stop,
    putWeights(bridge, asked) {
      const newest = published.version;
      const version = asked > newest - weights.slotAddresses.length ? asked : newest;
      const versions = sent.get(bridge) ?? new Set();
      sent.set(bridge, versions);
      if (versions.has(version)) return version;
      versions.add(version);
      const slot = Buffer.from(weightSlotBytes(buffer, weights, version)); // a copy: the slot may be written again before it is sent
      bridge.send(FrameType.WEIGHTS, { host: 0, incarnation: 0, version: wireVersion(version) }, slot);
      return version;
    },
  };
}
