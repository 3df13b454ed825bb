/** Trials of the options that algorithms with a replay buffer share. */
import { policiesOptions } from '../../src/config/blocks/multi-agent.ts';
import { selfPlayOptions } from '../../src/config/blocks/self-play.ts';
import type { Settings, Trial, Values } from './subject.ts';

const training = (options: Values[string]): Values => ({ training: options });
const REPLAYED_CELL = training({ recurrent: 'lstm', recurrentSize: 8, sequenceLength: 2 });

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

/** Of a cell, learnt from stored sequences. */
export const replayedRecurrentTrials: Readonly<Record<string, Trial>> = {
  'training.recurrent': { base: REPLAYED_CELL, change: training({ recurrent: 'gru' }) },
  'training.recurrentSize': { base: REPLAYED_CELL, change: training({ recurrentSize: 9 }) },
  'training.sequenceLength': { base: REPLAYED_CELL, change: training({ sequenceLength: 4 }) },
  'training.burnIn': { base: REPLAYED_CELL, change: training({ burnIn: 3 }) },
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
  'training.criticDropout': { change: training({ criticDropout: 0.1 }) },
  ...replayedRecurrentTrials,
};

export const offPolicyNeutral: Readonly<Record<string, Trial>> = {
  'training.checkpointReplay': { change: training({ checkpointReplay: false }) },
  'training.replayCapacity, never reached': { change: training({ replayCapacity: 2000 }) },
  'training.maxGradNorm, never reached': { change: training({ maxGradNorm: 1e9 }) },
};

/** Of sequences, where these do not go with transitions' parts. @param algorithm its name. */
export const replayedRecurrentRefused = (algorithm: string): Settings['refused'] => [
  [
    'recurrence with convolutions',
    training({ recurrent: 'gru', batchSize: 64, network: 'conv' }),
    /does not go together with network \(conv\)/,
  ],
  [
    'a batch that holds no whole sequences',
    training({ recurrent: 'lstm', sequenceLength: 3 }),
    /batchSize \(16\) must be a multiple of 4 x sequenceLength \(3\)/,
  ],
  [
    'a buffer that holds no batch of sequences',
    training({ recurrent: 'lstm', sequenceLength: 4, replayCapacity: 20 }),
    /replayCapacity \(20\) must hold 4 sequences of 4 steps.*at least 24 transitions/,
  ],
  [
    'updates before there are sequences',
    training({ recurrent: 'lstm', sequenceLength: 4, burnIn: 24 }),
    /learningStarts \(40\) must leave 4 sequences of 28 steps.*raise it to \d+/,
  ],
  [
    'recurrence on TensorFlow',
    { ...training({ recurrent: 'lstm', sequenceLength: 4 }), learners: { engine: 'tensorflow' } },
    new RegExp(`recurrent \\(lstm\\) learns on the simd engine in ${algorithm}, but`),
  ],
  ['a burn-in without recurrence', training({ burnIn: 1 }), /burnIn \(1\) has no effect while recurrent/],
];

export const convElsewhere: Readonly<Record<string, string>> = {
  'training.network': 'test/conformance/pictures.test.ts',
  'training.convLayers': 'test/conformance/pictures.test.ts',
};

/** Of those that train several agents, too. */
export const policiesElsewhere: Settings['testedElsewhere'] = {
  ...Object.fromEntries(
    Object.keys(policiesOptions).map((name) => [`multiAgent.${name}`, 'test/algorithm/agents']),
  ),
  ...Object.fromEntries(
    Object.keys(selfPlayOptions).map((name) => [`selfPlay.${name}`, 'test/algorithm/league']),
  ),
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
    'a buffer that does not hold a batch of windows of every environment',
    { envRunners: { numEnvs: 8 }, ...training({ replayCapacity: 24, nStep: 3 }) },
    /must hold a batch: at least 25 transitions for batchSize 16, nStep 3 and numEnvs 8/,
  ],
  [
    'steps of a prefill that there is not',
    training({ prefillSteps: 100 }),
    /prefillSteps \(100\) has no effect while prefill is null/,
  ],
  ['bytes that do not hold a batch', training({ replayBytes: 300 }), /replayBytes \(300\) holds/],
  ['hindsight without goals', training({ hindsight: 'future' }), /needs a Dict observation with/],
  [
    'goals without hindsight',
    training({ hindsightGoals: 2 }),
    /hindsightGoals \(2\) has no effect while hindsight is none/,
  ],
  ['more transitions than there are slots', training({ replayCapacity: 1e13 }), /at most 2147483647 slots/],
  ['a network that the kernels do not cover', training({ network: 'conv' }), /needs the TensorFlow engine/],
];

const LINEAR = { schedule: 'linear', from: 1e-3, to: 1e-5 };

/** What actors with critics have in common. @param name for the message that refuses other actions. */
export const continuousSettings = (name: string) => ({
  actions: 'continuous' as const,
  plain: offPolicyPlain,
  neutral: {
    ...offPolicyNeutral,
    'training.criticLearningRate, to an actor that stands still': {
      base: training({ actorLearningRate: 0 }),
      change: training({ criticLearningRate: 1e-2 }),
    },
  },
  testedElsewhere: { ...convElsewhere, ...policiesElsewhere },
  refused: [
    ...offPolicyRefused,
    ...replayedRecurrentRefused(name),
    [
      'dropout on TensorFlow',
      { training: { criticDropout: 0.1 }, learners: { engine: 'tensorflow' } },
      /learns on the simd engine alone/,
    ],
    [
      'a choice among actions',
      { environment: { env: 'CartPole-v1', envOptions: {} } },
      new RegExp(`${name} is for continuous actions \\(Box\\).*Use sac-discrete, dqn`),
    ],
  ] satisfies Settings['refused'],
});

/** @param own beside what they all are given. */
export const continuousValues = (own: Values[string]): Values => ({
  envRunners: { numEnvRunners: 0, numEnvs: 5, normalizeObservations: true },
  training: {
    learningStarts: 60,
    trainEvery: 3,
    batchSize: 20,
    updatesPerStep: 0.4,
    stepsPerIteration: 60,
    replayCapacity: 170,
    nStep: 2,
    hiddenSizes: [16, 16],
    lag: 1,
    actorLearningRate: LINEAR,
    scheduleSteps: 3000,
    ...own,
  },
  learners: { engine: 'simd' },
  evaluation: { evaluationInterval: 3, evaluationEpisodes: 2 },
  debugging: { seed: 21 },
});

export const continuousLearns = (learningStarts: number, numIterations: number): Settings['learns'] => ({
  values: {
    envRunners: { numEnvRunners: 0 },
    training: {
      learningStarts,
      batchSize: 64,
      gamma: 0,
      stepsPerIteration: 200,
      hiddenSizes: [32],
      actorLearningRate: 3e-3,
      criticLearningRate: 3e-3,
    },
    learners: { engine: 'simd' },
  },
  numIterations,
  returnAtLeast: -0.6,
});

const gsde = training({ useGsde: true, gsdeSampleFrequency: 5 });

/** Of a policy with entropy and a temperature. */
export const entropyTrials: Readonly<Record<string, Trial>> = {
  'training.temperature': { change: training({ temperature: 0.3 }) },
  'training.initialTemperature': { change: training({ initialTemperature: 0.1 }) },
  'training.temperatureLearningRate': { change: training({ temperatureLearningRate: 0.1 }) },
  'training.targetEntropy': { change: training({ targetEntropy: 3 }) },
  'training.useGsde': { change: training({ useGsde: true }) },
  'training.gsdeSampleFrequency': { base: gsde, change: training({ gsdeSampleFrequency: 2 }) },
  'training.logStdInit': { base: gsde, change: training({ logStdInit: -1 }) },
};

export const entropyRefused: Settings['refused'] = [
  [
    'gSDE without a frequency',
    training({ useGsde: true, gsdeSampleFrequency: 0 }),
    /gsdeSampleFrequency \(0\)/,
  ],
  [
    'gSDE with recurrence',
    training({ useGsde: true, recurrent: 'lstm', sequenceLength: 4 }),
    /recurrent \(lstm\) does not go together with useGsde/,
  ],
  ['gSDE without a hidden layer', training({ useGsde: true, hiddenSizes: [] }), /hiddenSizes is empty/],
  [
    'gSDE on TensorFlow',
    { training: { useGsde: true }, learners: { engine: 'tensorflow' } },
    /learns on the simd engine alone/,
  ],
  [
    'an option without effect',
    training({ temperature: 0.2, targetEntropy: -1 }),
    /targetEntropy \(-1\) has no effect while temperature is 0.2/,
  ],
];
