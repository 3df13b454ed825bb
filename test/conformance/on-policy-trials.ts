/** Trials of the options that algorithms without a replay buffer share. */
import { multiAgentOptions, rolloutAgentsOptions } from '../../src/config/blocks/multi-agent.ts';
import { selfPlayOptions } from '../../src/config/blocks/self-play.ts';
import type { Settings, Trial, Values } from './subject.ts';

type Trials = Readonly<Record<string, Trial>>;
const training = (options: Values[string]): Values => ({ training: options });
const pendulum: Values = { environment: { env: 'Pendulum-v1', envOptions: {} } };

/** gSDE, on actions that it is for. */
export const gsdeBase: Values = { ...pendulum, ...training({ useGsde: true, gsdeSampleFrequency: 4 }) };

/** Settings with everything on that a run should repeat: several rows, statistics, a schedule. */
export const onPolicyValues = (rolloutLength: number, own: Values[string]): Values => ({
  envRunners: {
    numEnvRunners: 0,
    numEnvs: 7,
    rolloutLength,
    normalizeObservations: true,
    normalizeRewards: true,
  },
  training: {
    hiddenSizes: [16, 16],
    entropyCoeff: 0.01,
    learningRate: { schedule: 'linear', from: 1e-3, to: 1e-5 },
    scheduleSteps: 3000,
    ...own,
  },
  learners: { engine: 'simd' },
  evaluation: { evaluationInterval: 3, evaluationEpisodes: 2 },
  debugging: { seed: 21 },
});

/** Quick. */
export const onPolicyPlain = (rolloutLength: number, own: Values[string] = {}): Values => ({
  envRunners: { numEnvRunners: 0, numEnvs: 4, rolloutLength },
  training: { hiddenSizes: [16], ...own },
  learners: { engine: 'simd' },
});

/** Of gSDE, too. @param rolloutLength of the plain settings. */
export const onPolicyTrials = (rolloutLength: number): Trials => ({
  'envRunners.rolloutLength': { change: { envRunners: { rolloutLength: rolloutLength + 1 } } },
  'envRunners.normalizeRewards': { change: { envRunners: { normalizeRewards: true } } },
  'envRunners.clipReward': {
    base: { envRunners: { normalizeRewards: true } },
    change: { envRunners: { clipReward: 0.01 } },
  },
  'training.learningRate': { change: training({ learningRate: 1e-3 }) },
  'training.gamma': { change: training({ gamma: 0.9 }) },
  'training.valueCoeff': { change: training({ valueCoeff: 0.1 }) },
  'training.entropyCoeff': { change: training({ entropyCoeff: 0.1 }) },
  'training.maxGradNorm': { change: training({ maxGradNorm: 0.01 }) },
  'training.adamBeta1': { change: training({ adamBeta1: 0.5 }) },
  'training.adamBeta2': { change: training({ adamBeta2: 0.9 }) },
  'training.adamEpsilon': { change: training({ adamEpsilon: 0.1 }) },
  'training.scheduleSteps': {
    base: training({ learningRate: { schedule: 'linear', from: 1e-3, to: 0 }, scheduleSteps: 1000 }),
    change: training({ scheduleSteps: 2000 }),
  },
  'training.hiddenSizes': { change: training({ hiddenSizes: [16, 8] }) },
  'training.activation': { change: training({ activation: 'relu' }) },
  'training.sharedLayers': { change: training({ sharedLayers: true }) },
  'training.orthogonalInit': { change: training({ orthogonalInit: false }) },
  'training.hiddenGain': { change: training({ hiddenGain: 1 }) },
  'training.policyGain': { change: training({ policyGain: 1 }) },
  'training.valueGain': { change: training({ valueGain: 0.1 }) },
  'training.logStdInit': { base: pendulum, change: training({ logStdInit: -1 }) },
  'training.squashActions': { base: pendulum, change: training({ squashActions: true }) },
  'training.useGsde': { base: pendulum, change: training({ useGsde: true }) },
  'training.gsdeSampleFrequency': { base: gsdeBase, change: training({ gsdeSampleFrequency: 8 }) },
});

export const rmspropTrials: Trials = {
  'training.optimizer': { change: training({ optimizer: 'rmsprop' }) },
  'training.rmspropDecay': {
    base: training({ optimizer: 'rmsprop' }),
    change: training({ rmspropDecay: 0.9 }),
  },
  'training.rmspropEpsilon': {
    base: training({ optimizer: 'rmsprop' }),
    change: training({ rmspropEpsilon: 0.1 }),
  },
};

export const rmspropRefused: Settings['refused'] = [
  [
    "Adam's epsilon without Adam",
    training({ optimizer: 'rmsprop', adamEpsilon: 0.1 }),
    /adamEpsilon \(0.1\) has no effect while optimizer is rmsprop/,
  ],
];

/** @param kind which curiosity they are tried under. @param other another one. */
export function curiosityTrials(kind: 'rnd' | 'icm', other: 'rnd' | 'icm'): Trials {
  const base = training({ curiosity: kind, curiosityHiddenSizes: [8], curiosityFeatures: 6 });
  return {
    'training.curiosity': { base, change: training({ curiosity: other }) },
    'training.curiosityCoeff': { base, change: training({ curiosityCoeff: 2 }) },
    'training.curiosityGamma': { base, change: training({ curiosityGamma: 0.5 }) },
    'training.curiosityLearningRate': { base, change: training({ curiosityLearningRate: 0.01 }) },
    'training.curiosityHiddenSizes': { base, change: training({ curiosityHiddenSizes: [9] }) },
    'training.curiosityFeatures': { base, change: training({ curiosityFeatures: 7 }) },
    'training.curiosityShare': { base, change: training({ curiosityShare: 0.3 }) },
  };
}

export const onPolicyNeutral: Trials = {
  'training.maxGradNorm, never reached': {
    base: training({ maxGradNorm: 1e9 }),
    change: training({ maxGradNorm: null }),
  },
};

export const onPolicyRefused: Settings['refused'] = [
  [
    'a linear schedule without an end',
    training({ entropyCoeff: { schedule: 'linear', from: 1, to: 0 } }),
    /entropyCoeff is a linear schedule.*scheduleSteps/,
  ],
  ['gSDE for discrete actions', training({ useGsde: true }), /useGsde is for continuous actions/],
];

/** @param file that tests them. */
const networkElsewhere = (file: string): Settings['testedElsewhere'] => ({
  'training.network': file,
  'training.networkOptions': file,
  'training.convLayers': file,
});

/** Of algorithms whose main thread collects and then learns. */
export const synchronousElsewhere = networkElsewhere('test/policy/conv-network.test.ts');
export const synchronousRefused: Settings['refused'] = [
  ...onPolicyRefused,
  ['a network that the kernels do not cover', training({ network: 'conv' }), /needs the TensorFlow engine/],
];

/** Of those that train several agents, too. */
export const agentsElsewhere: Settings['testedElsewhere'] = {
  ...Object.fromEntries(
    Object.keys(multiAgentOptions).map((name) => [`multiAgent.${name}`, 'test/algorithm/agents']),
  ),
  ...Object.fromEntries(
    Object.keys(selfPlayOptions).map((name) => [`selfPlay.${name}`, 'test/algorithm/league']),
  ),
};

/** Of those that do so without a critic. */
export const rolloutAgentsElsewhere: Settings['testedElsewhere'] = Object.fromEntries(
  Object.keys(rolloutAgentsOptions).map((name) => [`multiAgent.${name}`, 'test/algorithm/agents']),
);

/** Of actor-learners; the plain settings have 4 fragments an iteration of 4 environments. */
export const actorLearnerTrials: Trials = {
  'training.lag': { change: training({ lag: 3 }) },
  'training.fragmentsPerIteration': { change: training({ fragmentsPerIteration: 5 }) },
  'training.vtraceLambda': { change: training({ vtraceLambda: 0.5 }) },
  'training.rhoClip': { change: training({ rhoClip: 0.9 }) },
  'training.traceClip': { change: training({ traceClip: 0.9 }) },
};

export const actorLearnerElsewhere: Settings['testedElsewhere'] = {
  ...networkElsewhere('test/conformance/pictures.test.ts'),
  'training.maxPolicyLag': 'test/algorithm/free-fragments.test.ts',
};

export const actorLearnerRefused: Settings['refused'] = [
  ...onPolicyRefused,
  ['a network that workers cannot run', training({ network: 'conv' }), /workers act while it learns/],
  ['a lag beyond its bound', training({ lag: 17 }), /`lag`.*16.*17/],
  ['a lag that no fragment has', training({ lag: 4 }), /lag \(4\) must be below fragmentsPerIteration \(4\)/],
  ['free workers where there are none', training({ lag: 'free' }), /lag 'free' needs rollout workers/],
  [
    'free workers that differ',
    { ...training({ lag: 'free' }), envRunners: { numEnvRunners: 3 } },
    /numEnvs \(4\) is no multiple of numEnvRunners \(3\)/,
  ],
  [
    'the bound of a free lag without one',
    training({ maxPolicyLag: 5 }),
    /maxPolicyLag \(5\) has no effect while lag is 1/,
  ],
];

/** @param own of the training. */
export const onPolicyLearns = (
  rolloutLength: number,
  own: Values[string],
  numIterations: number,
): Settings['learns'] => ({
  values: {
    envRunners: { numEnvRunners: 0, numEnvs: 16, rolloutLength },
    training: { gamma: 0, hiddenSizes: [32], ...own },
    learners: { engine: 'simd' },
  },
  numIterations,
  returnAtLeast: 8,
});
