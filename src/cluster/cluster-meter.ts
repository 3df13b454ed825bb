/** What becomes of hosts and of the connection to them, as numbers. */

/** Bytes between the learner and its bridges. */
export interface Traffic {
  numReceived: number;
  numSent: number;
}

/** Answers of hosts, and how long they took. */
export interface AnswerTimes {
  count: number;
  ms: number;
}

export interface HostCounts {
  readonly numHosts: number;
  readonly numMending: number;
  readonly numLost: number;
  readonly numJoined: number;
  readonly numLeft: number;
}

const MEGA = 1e6;

/** Gives the metrics `cluster/*` (src/metrics/cluster-metrics.ts) of what happened since it was called last. */
export function createClusterMeter(
  traffic: Traffic,
  times: AnswerTimes,
  counts: () => HostCounts,
): () => Record<string, number> {
  let takenAt = performance.now();
  return () => {
    const now = performance.now();
    const seconds = (now - takenAt) / 1000;
    takenAt = now;
    const { numReceived, numSent } = traffic;
    traffic.numReceived = 0;
    traffic.numSent = 0;
    const { count, ms } = times;
    times.count = 0;
    times.ms = 0;
    const { numHosts, numMending, numLost, numJoined, numLeft } = counts();
    return {
      'cluster/numHosts': numHosts,
      'cluster/numHostsUp': numHosts - numMending,
      'cluster/numHostsLost': numLost,
      'cluster/numHostsJoined': numJoined,
      'cluster/numHostsLeft': numLeft,
      'cluster/receivedMb': numReceived / MEGA,
      'cluster/sentMb': numSent / MEGA,
      'cluster/mbPerSecond': seconds > 0 ? (numReceived + numSent) / MEGA / seconds : 0,
      ...(count === 0 ? {} : { 'cluster/requestMs': ms / count }),
    };
  };
}
