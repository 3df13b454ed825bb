/** No option is inert: each one that may change learning does, and those that may not do not. */
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { ppoOptions } from '../../../algorithms/ppo/config.ts';
import { PPOConfig } from '../../../src/index.ts';

const COUNTING = fileURLToPath(new URL('../../rollout/fixtures/counting-env.ts', import.meta.url));

interface Trial {
  readonly env?: string;
  /** Set in both runs. */
  readonly base?: object;
  readonly change: object;
}

const GSDE = { env: 'Pendulum-v1', base: { training: { useGsde: true, gsdeSampleFrequency: 4 } } };

/** By section and option: a change that has to show in the weights after two iterations. */
const TRIALS: Record<string, Trial> = {
  'environment.env': { change: { environment: { env: 'Acrobot-v1' } } },
  'environment.envOptions': { change: { environment: { envOptions: { high: 0.04 } } } },
  'environment.maxEpisodeSteps': { change: { environment: { maxEpisodeSteps: 5 } } },
  'envRunners.numEnvs': { change: { envRunners: { numEnvs: 5 } } },
  'envRunners.rolloutLength': { change: { envRunners: { rolloutLength: 41 } } },
  'envRunners.normalizeObservations': { change: { envRunners: { normalizeObservations: true } } },
  'envRunners.clipObservation': {
    base: { envRunners: { normalizeObservations: true } },
    change: { envRunners: { clipObservation: 0.3 } },
  },
  'envRunners.normalizeRewards': { change: { envRunners: { normalizeRewards: true } } },
  'envRunners.clipReward': {
    base: { envRunners: { normalizeRewards: true } },
    change: { envRunners: { clipReward: 0.01 } },
  },
  'training.learningRate': { change: { training: { learningRate: 1e-3 } } },
  'training.gamma': { change: { training: { gamma: 0.9 } } },
  'training.gaeLambda': { change: { training: { gaeLambda: 0.5 } } },
  'training.clipRange': { change: { training: { clipRange: 0.01 } } },
  'training.valueClipRange': { change: { training: { valueClipRange: 0.01 } } },
  'training.valueErrorBound': { change: { training: { valueErrorBound: 0.5 } } },
  'training.valueLoss': { change: { training: { valueLoss: 'huber' } } },
  'training.valueCoeff': { change: { training: { valueCoeff: 0.1 } } },
  'training.entropyCoeff': { change: { training: { entropyCoeff: 0.1 } } },
  'training.numEpochs': { change: { training: { numEpochs: 4 } } },
  'training.minibatchSize': { change: { training: { minibatchSize: 20 } } },
  'training.normalizeAdvantages': { change: { training: { normalizeAdvantages: false } } },
  'training.maxGradNorm': { change: { training: { maxGradNorm: 0.01 } } },
  'training.targetKl': { change: { training: { targetKl: 1e-9 } } },
  'training.klPenaltyCoeff': { change: { training: { klPenaltyCoeff: 5 } } },
  'training.klPenaltyTarget': {
    base: { training: { klPenaltyCoeff: 5 } },
    change: { training: { klPenaltyTarget: 0.5 } },
  },
  'training.adamBeta1': { change: { training: { adamBeta1: 0.5 } } },
  'training.adamBeta2': { change: { training: { adamBeta2: 0.9 } } },
  'training.adamEpsilon': { change: { training: { adamEpsilon: 0.1 } } },
  'training.scheduleSteps': {
    base: { training: { learningRate: { schedule: 'linear', from: 1e-3, to: 0 }, scheduleSteps: 1000 } },
    change: { training: { scheduleSteps: 2000 } },
  },
  'training.hiddenSizes': { change: { training: { hiddenSizes: [16, 8] } } },
  'training.activation': { change: { training: { activation: 'relu' } } },
  'training.sharedLayers': { change: { training: { sharedLayers: true } } },
  'training.orthogonalInit': { change: { training: { orthogonalInit: false } } },
  'training.hiddenGain': { change: { training: { hiddenGain: 1 } } },
  'training.policyGain': { change: { training: { policyGain: 1 } } },
  'training.valueGain': { change: { training: { valueGain: 0.1 } } },
  'training.logStdInit': { env: 'Pendulum-v1', change: { training: { logStdInit: -1 } } },
  'training.squashActions': { env: 'Pendulum-v1', change: { training: { squashActions: true } } },
  'training.useGsde': { env: 'Pendulum-v1', change: { training: { useGsde: true } } },
  'training.gsdeSampleFrequency': { ...GSDE, change: { training: { gsdeSampleFrequency: 8 } } },
  'debugging.seed': { change: { debugging: { seed: 1 } } },
};

/** Options that change nothing, in reach of a short run. */
const NEUTRAL: Record<string, object> = {
  'envRunners.numEnvRunners': { envRunners: { numEnvRunners: 2 } },
  'envRunners.workerMemoryMb': { envRunners: { numEnvRunners: 1, workerMemoryMb: 256 } },
  'learners.numLearnerThreads': { envRunners: { numEnvRunners: 1 }, learners: { numLearnerThreads: 2 } },
  'evaluation.evaluationInterval': { evaluation: { evaluationInterval: 1, evaluationEpisodes: 1 } },
  'faultTolerance.workerDeadlineSeconds': {
    envRunners: { numEnvRunners: 1 },
    faultTolerance: { workerDeadlineSeconds: 30 },
  },
  'faultTolerance.nonFinite': { faultTolerance: { nonFinite: 'skip' } },
  'reporting.metricsWindow': { reporting: { metricsWindow: 3 } },
  'debugging.poison': { debugging: { poison: true } },
  'debugging.verbose': { debugging: { verbose: true } },
  'training.targetKl, never reached': { training: { targetKl: 100 } },
  'training.maxGradNorm, never reached': {
    training: { maxGradNorm: null },
    base: { training: { maxGradNorm: 1e9 } },
  },
};

/** Elsewhere: networks beyond the MLP and engines need TensorFlow; the rest says how a run is kept, not what it learns. */
const TESTED_ELSEWHERE = [
  ...['network', 'networkOptions', 'convLayers'].map((name) => `training.${name}`),
  'envRunners.inference',
  ...['engine', 'backend', 'captureGraph'].map((name) => `learners.${name}`),
  'faultTolerance.restartFailedEnvs', // only where an environment fails: test/rollout/env-faults.test.ts
  'faultTolerance.nonFinite', // only where something is not finite: ppo.test.ts
  'debugging.deterministic', // other bits, the same learning: test/simd
];

async function weights(...layers: object[]): Promise<string> {
  let config = new PPOConfig()
    .environment('CartPole-v1')
    .envRunners({ numEnvRunners: 0, numEnvs: 4, rolloutLength: 40 })
    .training({ numEpochs: 3, minibatchSize: 40, hiddenSizes: [16] })
    .learners({ engine: 'simd' });
  for (const layer of layers) {
    for (const [section, options] of Object.entries(layer)) {
      config = (config as unknown as Record<string, (options: object) => typeof config>)[section](options);
    }
  }
  const algorithm = await config.build();
  try {
    for (let k = 0; k < 2; k++) await algorithm.train();
    const { tensors } = await algorithm.getState();
    const trained = Object.entries(tensors['policies/default/weights.safetensors']);
    return trained.flatMap(([name, { data }]) => (name.startsWith('observation/') ? [] : [...data])).join();
  } finally {
    await algorithm.stop();
  }
}

describe('options that change learning', () => {
  test.each(Object.entries(TRIALS))('%s', async (_, { env, base = {}, change }) => {
    const common = env === undefined ? [base] : [{ environment: { env } }, base];
    expect(await weights(...common, change)).not.toBe(await weights(...common));
  });

  test('are all of those that are declared so', () => {
    const declared = Object.entries(ppoOptions).flatMap(([section, options]) =>
      Object.entries(options)
        .filter(([, { affectsLearning }]) => affectsLearning !== false)
        .map(([name]) => `${section}.${name}`),
    );
    const known = [...Object.keys(TRIALS), ...TESTED_ELSEWHERE];
    expect(declared.filter((name) => !known.includes(name))).toEqual([]);
  });
});

describe('options that change nothing', () => {
  test.each(Object.entries(NEUTRAL))('%s', async (_, change) => {
    const { base = {}, ...rest } = change as { base?: object };
    expect(await weights(base, rest)).toBe(await weights(base));
  });
});

test('action masks change what is learned', async () => {
  const env = (masks: boolean) => ({ environment: { env: COUNTING, envOptions: { masks } } });
  expect(await weights(env(true))).not.toBe(await weights(env(false)));
});
