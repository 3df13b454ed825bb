/** Metrics of runs whose rollout workers are hosts of a Ray cluster; part of the shared ones. */

export const CLUSTER_METRICS = {
  'cluster/numHosts': {
    unit: 'hosts',
    window: 'iteration',
    formula: 'rollout hosts that the run has (`runners: ray`)',
  },
  'cluster/numHostsUp': {
    unit: 'hosts',
    window: 'iteration',
    formula: 'of these, those that are not being replaced at its end',
  },
  'cluster/numHostsLost': {
    unit: 'hosts',
    window: 'run',
    formula: 'hosts that were lost and replaced since this process began',
  },
  'cluster/numHostsJoined': {
    unit: 'hosts',
    window: 'run',
    formula: 'hosts on nodes that came since this process began (`numRolloutHosts: all`, `minRolloutHosts`)',
  },
  'cluster/numHostsLeft': {
    unit: 'hosts',
    window: 'run',
    formula: 'hosts whose node has gone or has been given notice, and whose rows the others took over',
  },
  'cluster/numFragmentsDropped': {
    unit: '-',
    window: 'iteration',
    formula:
      "fragments of a host that came more than `maxPolicyLag` versions late, and were not learnt from (`lag: 'free'`); their steps are not counted",
  },
  'cluster/receivedMb': {
    unit: 'MB (10^6 bytes)',
    window: 'iteration',
    formula: 'what came from the bridge: fragments, states, episodes',
  },
  'cluster/sentMb': {
    unit: 'MB (10^6 bytes)',
    window: 'iteration',
    formula: 'what was given to the bridge: weights, once a version, and requests',
  },
  'cluster/mbPerSecond': {
    unit: 'MB/s',
    window: 'iteration',
    formula: 'both / seconds since this was told last',
  },
  'cluster/requestMs': {
    unit: 'ms',
    window: 'iteration',
    formula: 'mean time from asking a host for something to its answer, what it does in between included',
  },
} as const;
