/** Rollout workers on the hosts of a Ray cluster rather than in threads of this process. */
import { option } from '../option.ts';
import * as kind from '../value-kind.ts';

const NEUTRAL = { affectsLearning: false } as const;
/** Inert for local runners. */
const ON_RAY = { ...NEUTRAL, needs: { option: 'runners', values: ['ray'] } } as const;

export const clusterOptions = {
  runners: option(kind.choice(['local', 'ray']), {
    default: 'local',
    doc: 'Where rollout workers are: threads of this process, or hosts of a Ray cluster (docs/ray.md); never changes results.',
    ...NEUTRAL,
  }),
  rayAddress: option(kind.text('HOST:PORT, ray://HOST:PORT or auto', '<host:port|auto>'), {
    default: 'auto',
    doc: "The cluster's head; auto = the cluster that this machine is a node of. Needs runners ray.",
    ...ON_RAY,
  }),
  numRolloutHosts: option(kind.orWord('all', kind.integer({ min: 1, max: 1024 })), {
    default: 1,
    doc: 'Rollout hosts, each an actor with a Node process of numEnvRunners threads; all = one on each node, also those that join later.',
    alsoCalled: ['num_actors'],
    ...ON_RAY,
  }),
  minRolloutHosts: option(kind.nullable(kind.integer({ min: 1, max: 1024 })), {
    default: null,
    doc: "Hosts come and go with the cluster's nodes, so many at least; null = 1 with numRolloutHosts all, else always numRolloutHosts.",
    ...ON_RAY,
  }),
  hostWaitSeconds: option(kind.number({ min: 0 }), {
    default: 300,
    unit: 's',
    doc: 'With fewer nodes than minRolloutHosts, or without those of requestHosts, the run waits, and ends after so long. Needs runners ray.',
    ...ON_RAY,
  }),
  requestHosts: option(kind.boolean(), {
    default: false,
    doc: "Ask Ray's autoscaler for what numRolloutHosts hosts reserve, and wait for them up to hostWaitSeconds. Needs runners ray.",
    alsoCalled: ['request_resources'],
    ...ON_RAY,
  }),
  hostResources: option(kind.jsonObject(), {
    default: {},
    doc: 'Custom resources that a host\'s actor reserves besides its CPUs, such as {"rollout": 1}. Needs runners ray.',
    alsoCalled: ['custom_resources_per_env_runner'],
    ...ON_RAY,
  }),
  hostLabels: option(kind.jsonObject(), {
    default: {},
    doc: 'Labels of the nodes that may be hosts, such as {"role": "rollout"}. Needs runners ray.',
    alsoCalled: ['label_selector'],
    ...ON_RAY,
  }),
  hostDeadlineSeconds: option(kind.number({ min: 1 }), {
    default: 10,
    unit: 's',
    doc: 'A host that shows no sign of life for this long is replaced. Needs runners ray.',
    alsoCalled: ['env_runner_health_probe_timeout_s'],
    ...ON_RAY,
  }),
  rayWorkingDir: option(kind.nullable(kind.text('a folder path', '<folder>')), {
    default: null,
    doc: "Folder sent to the hosts with a user's environment; null = that of the nearest package.json. Needs runners ray.",
    alsoCalled: ['working_dir'],
    ...ON_RAY,
  }),
  rayPackageMb: option(kind.integer({ min: 1, max: 500 }), {
    default: 200,
    unit: 'MiB',
    doc: 'What may be sent to the hosts in all. Needs runners ray.',
    ...ON_RAY,
  }),
  insecure: option(kind.boolean(), {
    default: false,
    doc: 'Use a cluster on other machines without token authentication: whoever reaches it runs code on it. Needs runners ray.',
    ...ON_RAY,
  }),
};
