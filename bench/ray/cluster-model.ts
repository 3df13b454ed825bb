/** A run on many hosts as arithmetic: docs/ray-scale.md has the formulae, `measure-costs.ts` the constants. */

/** Seconds of processor: of a fragment whatever its size, and of each megabyte (10^6 bytes) of it. */
export interface Cost {
  readonly perFragment: number;
  readonly perMegabyte: number;
}

export interface ClusterCosts {
  /** The bridge and the learner's machine are passed by every fragment, a host by its own. */
  readonly bridge: Cost;
  /** Of the learner's main thread: reading, checking and unpacking. */
  readonly learner: Cost;
  /** Actor and rollout process, sampling left out. */
  readonly host: Cost;
  /** Of the head, for each node: health checks, resources. Processor seconds a second. */
  readonly headPerNode: number;
}

export interface ClusterLoad {
  readonly stepsPerFragment: number;
  readonly bytesPerStep: number;
  /** Of one host, all its threads together. */
  readonly hostStepsPerSecond: number;
  /** Seconds of learning from one step, all epochs. */
  readonly learnSecondsPerStep: number;
  /** Bytes of a version of the weights. */
  readonly weightBytes: number;
  /** Bytes a second through the learner's network interface. */
  readonly networkBytesPerSecond: number;
}

/** What gives out first. */
export type Bottleneck = 'hosts' | 'learning' | 'bridge' | 'unpacking' | 'network' | 'head';

export interface ClusterPoint {
  readonly numHosts: number;
  /** Steps a second at which each would be busy all the time. */
  readonly limits: Readonly<Record<Exclude<Bottleneck, 'head'>, number>>;
  readonly bottleneck: Bottleneck;
  /** Asynchronous: the smallest of the limits. */
  readonly asynchronous: number;
  /** Synchronous: sampling, bringing and learning one after the other. */
  readonly synchronous: number;
  /** Share of a processor that the head needs; above 1 it cannot keep up. */
  readonly headLoad: number;
}

const MEGA = 1e6;
const secondsOf = ({ perFragment, perMegabyte }: Cost, megabytes: number) =>
  perFragment + perMegabyte * megabytes;

/** The run with so many hosts. Every host brings one fragment for each version of the weights. */
export function evaluateCluster(costs: ClusterCosts, load: ClusterLoad, numHosts: number): ClusterPoint {
  const { stepsPerFragment: steps, hostStepsPerSecond, learnSecondsPerStep } = load;
  const megabytes = (steps * load.bytesPerStep) / MEGA;
  const bridge = secondsOf(costs.bridge, megabytes);
  const unpack = secondsOf(costs.learner, megabytes);
  const sample = steps / hostStepsPerSecond + secondsOf(costs.host, megabytes);
  const learn = steps * learnSecondsPerStep;
  const travel = (steps * load.bytesPerStep + load.weightBytes) / load.networkBytesPerSecond;
  const limits = {
    hosts: (numHosts * steps) / sample,
    learning: steps / (learn + unpack),
    bridge: steps / bridge,
    unpacking: steps / unpack,
    network: steps / travel,
  };
  const headLoad = numHosts * costs.headPerNode;
  const asynchronous = Math.min(...Object.values(limits));
  const [bottleneck] = Object.entries(limits).find(([, limit]) => limit === asynchronous) as [
    Bottleneck,
    number,
  ];
  const brought = numHosts * Math.max(bridge, unpack, travel);
  return {
    ...{ numHosts, limits, asynchronous, headLoad },
    bottleneck: headLoad > 1 ? 'head' : bottleneck,
    synchronous: (numHosts * steps) / (sample + brought + numHosts * learn),
  };
}

/** Hosts from which on this is busy all the time: more bring nothing. */
export function saturation(
  costs: ClusterCosts,
  load: ClusterLoad,
  what: 'learning' | 'bridge' | 'network' | 'head',
): number {
  if (what === 'head') return 1 / costs.headPerNode;
  const { limits } = evaluateCluster(costs, load, 1);
  return limits[what] / limits.hosts;
}

export interface CostSample {
  readonly numFragments: number;
  readonly megabytes: number;
  /** Of processor, in all. */
  readonly seconds: number;
}

/** Least squares: seconds = perFragment * numFragments + perMegabyte * megabytes; neither is less than 0. */
export function fitCost(samples: readonly CostSample[]): Cost {
  const sum = (of: (sample: CostSample) => number) =>
    samples.reduce((total, sample) => total + of(sample), 0);
  const ff = sum(({ numFragments: f }) => f * f);
  const fm = sum(({ numFragments: f, megabytes: m }) => f * m);
  const mm = sum(({ megabytes: m }) => m * m);
  const fs = sum(({ numFragments: f, seconds: s }) => f * s);
  const ms = sum(({ megabytes: m, seconds: s }) => m * s);
  const determinant = ff * mm - fm * fm;
  const perFragment = (fs * mm - ms * fm) / determinant;
  const perMegabyte = (ms * ff - fs * fm) / determinant;
  if (perFragment < 0) return { perFragment: 0, perMegabyte: Math.max(0, ms / mm) };
  if (perMegabyte < 0) return { perFragment: Math.max(0, fs / ff), perMegabyte: 0 };
  return { perFragment, perMegabyte };
}

/** Several learners of one network, each with its part of every minibatch (`docs/adr/0007`). */
export interface ExchangeLoad {
  readonly numLearners: number;
  readonly numParameters: number;
  /** Seconds of one learner for a whole minibatch. */
  readonly minibatchSeconds: number;
  /** From asking to an answer of nothing, s. */
  readonly latency: number;
  readonly bytesPerSecond: number;
}

/**
 * What learners save in a minibatch, and what it costs that every gradient comes to one place and their sum goes back; both in seconds. It pays
 * where the first is the greater.
 */
export function exchange({ numLearners: L, ...load }: ExchangeLoad): {
  readonly saved: number;
  readonly cost: number;
} {
  const gradientBytes = 4 * load.numParameters;
  return {
    saved: load.minibatchSeconds * (1 - 1 / L),
    cost: 2 * load.latency + (L * gradientBytes) / load.bytesPerSecond,
  };
}

/**
 * Rows of a minibatch from which on learners pay, however large the network is: arithmetic and gradient both grow with its parameters.
 *
 * @param flopsPerParameter and row, forward and backward: 6 where each weight is used once.
 */
export function breakEvenRows(
  numLearners: number,
  flopsPerSecond: number,
  bytesPerSecond: number,
  flopsPerParameter = 6,
): number {
  const saved = (flopsPerParameter / flopsPerSecond) * (1 - 1 / numLearners);
  return (4 * numLearners) / bytesPerSecond / saved;
}
