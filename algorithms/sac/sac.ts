/** Soft actor-critic (Haarnoja et al. 2018, arXiv:1812.05905): the whole algorithm, top to bottom. */
import type { Algorithm } from '../../src/algorithm/algorithm.ts';
import { createFragments } from '../../src/algorithm/fragments.ts';
import { createOffPolicyAlgorithm } from '../../src/algorithm/off-policy-algorithm.ts';
import { createOffPolicyIteration } from '../../src/algorithm/off-policy-iteration.ts';
import { createOffPolicySystem, type OffPolicySystem } from '../../src/algorithm/off-policy-system.ts';
import { schedulesState, streamState } from '../../src/algorithm/own-state.ts';
import { createTransitions, fillNormals } from '../../src/algorithm/transitions.ts';
import { evaluateSchedule } from '../../src/config/schedule.ts';
import { createSchedules } from '../../src/config/schedules.ts';
import { openStream } from '../../src/random/streams.ts';
import { type ResolvedSACConfig, sacOptions } from './config.ts';
import { type SacVariant, sacParts } from './setup.ts';

const IS_SOURCE = import.meta.url.endsWith('.ts');
const GRADIENT = new URL(IS_SOURCE ? './gradient.ts' : './gradient.js', import.meta.url).href;

/** @throws ConfigError when environment, networks, memory and options do not fit together. */
export async function createSAC(config: ResolvedSACConfig): Promise<Algorithm> {
  return createSoftActorCritic(config, {
    name: 'sac',
    criticOutputs: 1,
    closedForm: { module: GRADIENT, export: 'createSacGradient', options: {} },
    losses: async (model) => (await import('./loss.ts')).createSacLoss(model, {}),
  });
}

/**
 * Starts SAC, or what is SAC but for its critics and losses: environments, networks, replay buffer and learner.
 *
 * One round, of which an iteration has many:
 *
 *     fragment            trainEvery steps in every environment; uniformly random actions before learningStarts
 *     append              to the replay buffer
 *     updates             updatesPerStep for each step, each from a fresh batch:
 *         critics         towards r + discount (min_i q_i'(s', a') - temperature log pi(a'|s')), a' of the actor as it is
 *         actor           up the smallest critic, with an entropy bonus
 *         temperature     towards targetEntropy
 *         targets         tau of the way towards the critics
 *
 * Thread: main; the call resolves when every worker is ready. `stop()` the result.
 *
 * @throws ConfigError when environment, networks, memory and options do not fit together.
 */
export async function createSoftActorCritic(
  config: ResolvedSACConfig,
  variant: SacVariant,
): Promise<Algorithm> {
  const { training, envRunners, debugging, faultTolerance } = config;
  const { seed } = debugging;
  const system = await createOffPolicySystem(config, (env) => sacParts(env, config, variant));
  const { learner, scaling } = system;
  const transitions = createTransitions(system, { ...training, seed, priorities: null });
  const noise = openStream(seed, 'noise');
  const rates = createSchedules(sacOptions.training, ['actorLearningRate', 'criticLearningRate'], training);
  const fragments = createFragments({
    system,
    numSteps: training.trainEvery * envRunners.numEnvs,
    lag: training.lag,
    exploration: (step) => ({ epsilon: 0, noiseStd: 0, isRandom: step < training.learningStarts }),
  });
  const temperature = createTemperature(config, system);

  const iterate = createOffPolicyIteration({
    system,
    fragments,
    pace: training,
    learn(numUpdates, numEnvSteps) {
      const scalars = rates.at(numEnvSteps);
      return learner.update({
        numUpdates,
        fill(_k, batch) {
          transitions.fill(batch);
          fillNormals(noise, batch.columns.noise); // for the actions of s
          fillNormals(noise, batch.columns.nextNoise); // for those of s'
        },
        scalars: {
          ...scalars,
          ...temperature.scalars(scalars.actorLearningRate, numEnvSteps),
          tau: training.tau,
        },
        observationStatistics: scaling.statistics,
        nonFinite: faultTolerance.nonFinite,
      });
    },
    metrics: (numEnvSteps) => ({
      ...Object.fromEntries(
        Object.entries(rates.at(numEnvSteps)).map(([name, rate]) => [`train/${name}`, rate]),
      ),
      'train/temperature': temperature.current(),
    }),
  });

  return createOffPolicyAlgorithm({
    name: variant.name,
    config,
    system,
    fragments,
    iterate,
    replayState: transitions.replayState,
    state: [...transitions.state, streamState('noise', noise), schedulesState(rates)],
    setSchedule: rates.set,
  });
}

/** What the objective needs to know of the temperature, and what it is. */
function createTemperature(
  { training }: Pick<ResolvedSACConfig, 'training'>,
  { learner }: Pick<OffPolicySystem, 'learner'>,
) {
  const { temperature, targetEntropy, temperatureLearningRate, scheduleSteps } = training;
  const numActions = learner.model.inputs.action?.size ?? 0;
  return {
    scalars: (actorLearningRate: number, numEnvSteps: number) => ({
      temperature: temperature === 'auto' ? 0 : temperature,
      targetEntropy: targetEntropy === 'auto' ? -numActions : targetEntropy,
      temperatureLearningRate:
        temperatureLearningRate === null
          ? actorLearningRate
          : evaluateSchedule(temperatureLearningRate, numEnvSteps, scheduleSteps),
    }),
    current: (): number =>
      temperature === 'auto' ? Math.exp(learner.readNetwork('logTemperature')[0]) : temperature,
  };
}
