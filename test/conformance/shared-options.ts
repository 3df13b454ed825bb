/** Trials of the options that several algorithms share. */

import { listOptions } from '../../src/config/option.ts';
import type { AlgorithmDefinition } from '../../src/define/define-algorithm.ts';
import type { Settings, Trial } from './subject.ts';

/** By section and option: a change that has to show in the weights after two iterations. */
export function sharedTrials(actions: Settings['actions']): Readonly<Record<string, Trial>> {
  return {
    'environment.env': {
      change: {
        environment: { env: actions === 'discrete' ? 'CartPole-v1' : 'Pendulum-v1', envOptions: {} },
      },
    },
    'environment.envOptions': { change: { environment: { envOptions: { actions, scale: 3 } } } },
    'environment.maxEpisodeSteps': { change: { environment: { maxEpisodeSteps: 5 } } },
    'environment.curriculum': { change: { environment: { curriculum: [{ options: { scale: 3 } }] } } },
    'environment.wrappers': {
      change: { environment: { wrappers: [{ name: 'frameStackObservation', numFrames: 2 }] } },
    },
    'environment.previousInputs': { change: { environment: { previousInputs: 'both' } } },
    'envRunners.numEnvs': { change: { envRunners: { numEnvs: 5 } } },
    'envRunners.normalizeObservations': { change: { envRunners: { normalizeObservations: true } } },
    'envRunners.clipObservation': {
      base: { envRunners: { normalizeObservations: true } },
      change: { envRunners: { clipObservation: 0.3 } },
    },
    'debugging.seed': { change: { debugging: { seed: 1 } } },
  };
}

/** Options that change nothing, in reach of a short run. */
export const sharedNeutral: Readonly<Record<string, Trial>> = {
  // In one run, since threads take their time to start: numEnvRunners, workerMemoryMb and workerDeadlineSeconds, too.
  'learners.numLearnerThreads': {
    change: {
      envRunners: { numEnvRunners: 2, workerMemoryMb: 256 },
      learners: { numLearnerThreads: 2 },
      faultTolerance: { workerDeadlineSeconds: 30 },
    },
  },
  'evaluation.evaluationInterval': {
    change: { evaluation: { evaluationInterval: 1, evaluationEpisodes: 1 } },
  },
  'faultTolerance.nonFinite': { change: { faultTolerance: { nonFinite: 'skip' } } },
  'reporting.metricsWindow': { change: { reporting: { metricsWindow: 3 } } },
  'debugging.poison': { change: { debugging: { poison: true } } },
  'debugging.verbose': { change: { debugging: { verbose: true } } },
};

/** Networks beyond the MLP and engines need TensorFlow; faults need something that fails. */
export const sharedElsewhere: Readonly<Record<string, string>> = {
  'envRunners.inference': 'test/rollout/central-inference.test.ts',
  'learners.engine': 'test/algorithms/engines-agree.ts',
  'learners.backend': 'test/learner/tensorflow/backend.test.ts',
  'learners.captureGraph': 'test/learner/tensorflow/capture',
  'faultTolerance.restartFailedEnvs': 'test/rollout/env-faults.test.ts',
  'faultTolerance.nonFinite': 'test/learner/simd/objective/learner.test.ts',
  'debugging.deterministic': 'test/simd/loader.test.ts',
  'checkpointing.initFrom': 'test/conformance/warm-start.test.ts',
  'checkpointing.initPolicies': 'test/algorithm/agents/warm-start.test.ts',
  'checkpointing.initNetworks': 'test/conformance/warm-start.test.ts',
  'checkpointing.initOptimizer': 'test/conformance/warm-start.test.ts',
};

/** `section.option` of every option. */
export function optionPaths({ options }: AlgorithmDefinition): string[] {
  return listOptions(options).map(({ section, name }) => `${section}.${name}`);
}

/** The trials of options that an algorithm has. */
export function pick(
  trials: Readonly<Record<string, Trial>>,
  has: (path: string) => boolean,
): Record<string, Trial> {
  return Object.fromEntries(Object.entries(trials).filter(([path]) => has(path)));
}
