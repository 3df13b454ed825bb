/** Trials of the options that algorithms with a replay buffer share. */
import type { Settings, Trial, Values } from './subject.ts';

const training = (options: Values[string]): Values => ({ training: options });

/** Quick: 2 environments, rounds of 4 steps, updates from the 40th step on. */
export const offPolicyPlain: Values = {
  envRunners: { numEnvRunners: 0, numEnvs: 2 },
  training: {
    learningStarts: 40,
    trainEvery: 4,
    batchSize: 16,
    updatesPerStep: 0.5,
    stepsPerIteration: 64,
    replayCapacity: 1000,
    hiddenSizes: [16],
  },
  learners: { engine: 'simd' },
};

export const paceTrials: Readonly<Record<string, Trial>> = {
  'training.learningStarts': { change: training({ learningStarts: 56 }) },
  'training.trainEvery': { change: training({ trainEvery: 8 }) },
  'training.updatesPerStep': { change: training({ updatesPerStep: 1 }) },
  'training.gradientSteps': { change: training({ gradientSteps: 1 }) },
  'training.batchSize': { change: training({ batchSize: 20 }) },
  'training.lag': { change: training({ lag: 1 }) },
  'training.stepsPerIteration': { change: training({ stepsPerIteration: 80 }) },
  'training.replayCapacity': { change: training({ replayCapacity: 60 }) },
  'training.replayBytes': { change: training({ replayBytes: 3000 }) },
  'training.nStep': { change: training({ nStep: 3 }) },
  'training.gamma': { change: training({ gamma: 0.5 }) },
  'training.prefill': { change: training({ prefill: 'random', prefillSteps: 50 }) },
  'training.prefillSteps': {
    base: training({ prefill: 'random', prefillSteps: 50 }),
    change: training({ prefillSteps: 52 }),
  },
};

/** In an environment with goals. */
export const hindsightTrials = (env: string): Readonly<Record<string, Trial>> => {
  const environment: Values = { environment: { env, envOptions: {} } };
  return {
    'training.hindsight': { base: environment, change: training({ hindsight: 'final' }) },
    'training.hindsightGoals': {
      base: { ...environment, ...training({ hindsight: 'future' }) },
      change: training({ hindsightGoals: 1 }),
    },
  };
};

export const networkTrials: Readonly<Record<string, Trial>> = {
  'training.maxGradNorm': { change: training({ maxGradNorm: 1e-6 }) },
  'training.adamBeta1': { change: training({ adamBeta1: 0.5 }) },
  'training.adamBeta2': { change: training({ adamBeta2: 0.9 }) },
  'training.adamEpsilon': { change: training({ adamEpsilon: 0.1 }) },
  'training.hiddenSizes': { change: training({ hiddenSizes: [16, 8] }) },
  'training.activation': { change: training({ activation: 'tanh' }) },
};

/** Of actors with critics. */
export const continuousControlTrials: Readonly<Record<string, Trial>> = {
  ...paceTrials,
  ...hindsightTrials('PointReach-v0'),
  ...networkTrials,
  'training.actorLearningRate': { change: training({ actorLearningRate: 1e-3 }) },
  'training.criticLearningRate': { change: training({ criticLearningRate: 1e-3 }) },
  'training.weightDecay': { change: training({ weightDecay: 0.1 }) },
  'training.scheduleSteps': {
    base: training({ actorLearningRate: { schedule: 'linear', from: 1e-3, to: 0 }, scheduleSteps: 1000 }),
    change: training({ scheduleSteps: 2000 }),
  },
  'training.tau': { change: training({ tau: 0.5 }) },
  'training.numCritics': { change: training({ numCritics: 3 }) },
  'training.policyDelay': { change: training({ policyDelay: 3 }) },
  'training.criticHiddenSizes': { change: training({ criticHiddenSizes: [8] }) },
  'training.criticLayerNorm': { change: training({ criticLayerNorm: true }) },
};

export const offPolicyNeutral: Readonly<Record<string, Trial>> = {
  'training.checkpointReplay': { change: training({ checkpointReplay: false }) },
  'training.replayCapacity, never reached': { change: training({ replayCapacity: 2000 }) },
  'training.maxGradNorm, never reached': { change: training({ maxGradNorm: 1e9 }) },
};

export const convElsewhere: Readonly<Record<string, string>> = {
  'training.network': 'test/learner/tensorflow/objective',
  'training.convLayers': 'test/learner/tensorflow/objective',
};

export const offPolicyRefused: Settings['refused'] = [
  [
    'updates that nothing counts',
    training({ updatesPerStep: null }),
    /updatesPerStep and gradientSteps are both null/,
  ],
  [
    'a batch larger than what was collected',
    training({ batchSize: 500 }),
    /batchSize \(500\) must not exceed the 48 steps/,
  ],
  [
    'a buffer that does not hold a batch',
    training({ replayCapacity: 15 }),
    /replayCapacity \(15\) must hold a batch/,
  ],
  [
    'steps of a prefill that there is not',
    training({ prefillSteps: 100 }),
    /prefillSteps \(100\) has no effect while prefill is null/,
  ],
  [
    'bytes that do not hold a batch',
    training({ replayBytes: 300 }),
    /replayBytes \(300\) holds|buffer of 300 bytes/,
  ],
  ['hindsight without goals', training({ hindsight: 'future' }), /needs a Dict observation with/],
  [
    'goals without hindsight',
    training({ hindsightGoals: 2 }),
    /hindsightGoals \(2\) has no effect while hindsight is none/,
  ],
  ['a buffer that does not fit memory', training({ replayCapacity: 1e13 }), /replayCapacity|memory|replay/i],
  ['a network that the kernels do not cover', training({ network: 'conv' }), /needs the TensorFlow engine/],
];
