/** The options that say what a run survives. */
import { option } from '../option.ts';
import * as kind from '../value-kind.ts';

const NEUTRAL = { affectsLearning: false } as const;

export const faultToleranceOptions = {
  maxWorkerRestarts: option(kind.integer({ min: 0 }), {
    default: 10,
    doc: 'How many dead rollout workers are replaced within restartWindowSeconds before the run stops; 0 = stop at the first.',
    alsoCalled: ['max_num_env_runner_restarts', 'restart_failed_env_runners'],
    ...NEUTRAL,
  }),
  restartWindowSeconds: option(kind.number({ above: 0 }), {
    default: 600,
    unit: 's',
    doc: 'The time over which restarts are counted.',
    ...NEUTRAL,
  }),
  restartFailedEnvs: option(kind.choice(['off', 'replay', 'new-episode']), {
    default: 'replay',
    doc: 'One that fails: replay its episode in a fresh copy; new-episode = also cut it there if it fails again; off = replace its worker.',
    alsoCalled: ['restart_failed_sub_environments', 'restartFailedSubEnvironments'],
  }),
  maxEnvRestarts: option(kind.integer({ min: 0 }), {
    default: 100,
    doc: 'How many times single environments are restarted within restartWindowSeconds before the run stops.',
    ...NEUTRAL,
  }),
  workerDeadlineSeconds: option(kind.number({ above: 0 }), {
    default: 60,
    unit: 's',
    doc: 'A rollout worker that shows no progress for this long counts as dead.',
    alsoCalled: ['sample_timeout_s'],
    ...NEUTRAL,
  }),
  nonFinite: option(kind.choice(['stop', 'skip', 'clip']), {
    default: 'stop',
    doc: 'A non-finite loss, gradient, reward or observation: stop, skip the minibatch or the episode, or clip it (see docs/reliability.md).',
    alsoCalled: ['torch_skip_nan_gradients'],
  }),
};
