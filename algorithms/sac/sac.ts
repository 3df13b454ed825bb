/** Soft actor-critic (Haarnoja et al. 2018, arXiv:1812.05905): the whole algorithm, top to bottom. */
import type { Algorithm } from '../../src/algorithm/algorithm.ts';
import { createDropout } from '../../src/algorithm/dropout-seeds.ts';
import type { EnvDescription } from '../../src/algorithm/environment-source.ts';
import { createFragments } from '../../src/algorithm/fragments.ts';
import { createOffPolicyAlgorithm } from '../../src/algorithm/off-policy-algorithm.ts';
import { createOffPolicyIteration } from '../../src/algorithm/off-policy-iteration.ts';
import {
  createOffPolicySystem,
  type OffPolicyParts,
  type OffPolicySystem,
} from '../../src/algorithm/off-policy-system.ts';
import { schedulesState, streamState } from '../../src/algorithm/own-state.ts';
import { createTransitions, fillNormals } from '../../src/algorithm/transitions.ts';
import { createSchedules, scheduledValue } from '../../src/config/schedules.ts';
import type { ObjectiveBatch } from '../../src/learner/objective-learner.ts';
import type { ModelSpec } from '../../src/policy/networks/model.ts';
import { openStream, type Stream } from '../../src/random/streams.ts';
import { type ResolvedSACConfig, type SoftActorCriticConfig, softActorCriticOptions } from './config.ts';
import { type SacCritics, sacParts } from './setup.ts';

const IS_SOURCE = import.meta.url.endsWith('.ts');
const GRADIENT = new URL(IS_SOURCE ? './gradient.ts' : './gradient.js', import.meta.url).href;

/** @throws ConfigError when environment, networks, memory and options do not fit together. */
export async function createSAC(config: ResolvedSACConfig): Promise<Algorithm> {
  const critics: SacCritics = {
    name: 'sac',
    criticOutputs: 1,
    closedForm: { module: GRADIENT, export: 'createSacGradient', options: {} },
    losses: async (model) => (await import('./loss.ts')).createSacLoss(model, {}),
  };
  return createSoftActorCritic(config, continuousVariant(config, critics));
}

/** What differs between algorithms that share SAC's loop: SAC, TQC, discrete SAC. */
export interface SoftActorCriticVariant {
  readonly name: string;
  /** @throws ConfigError for an action space, or a network, that it is not for. */
  readonly parts: (env: EnvDescription) => OffPolicyParts;
  /** Where a learnt temperature leads the entropy, in nats. */
  readonly targetEntropy: (model: ModelSpec, numEnvSteps: number) => number;
}

/** SAC's actor, with critics of whoever calls. */
export function continuousVariant(config: ResolvedSACConfig, critics: SacCritics): SoftActorCriticVariant {
  const { targetEntropy } = config.training;
  return {
    name: critics.name,
    parts: (env) => sacParts(env, config, critics),
    targetEntropy: ({ inputs }) => (targetEntropy === 'auto' ? -inputs.action.size : targetEntropy),
  };
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
  config: SoftActorCriticConfig,
  variant: SoftActorCriticVariant,
): Promise<Algorithm> {
  const { training, envRunners, debugging, faultTolerance } = config;
  const { seed } = debugging;
  const system = await createOffPolicySystem(config, variant.parts);
  const { learner, scaling } = system;
  const transitions = createTransitions(system, { ...training, seed, priorities: null });
  const noise = openStream(seed, 'noise');
  const dropout = createDropout(system, seed);
  const rates = createSchedules(
    softActorCriticOptions.training,
    ['actorLearningRate', 'criticLearningRate'],
    training,
  );
  const fragments = createFragments({
    system,
    numSteps: training.trainEvery * envRunners.numEnvs,
    lag: training.lag,
    exploration: (step) => ({ epsilon: 0, noiseStd: 0, isRandom: step < training.learningStarts }),
  });
  const temperature = createTemperature(config, system, variant);
  const fill = (_k: number, batch: ObjectiveBatch) => {
    transitions.fill(batch);
    fillNoise(noise, batch);
    dropout.fill(batch);
  };

  const iterate = createOffPolicyIteration({
    system,
    fragments,
    pace: training,
    learn(numUpdates, numEnvSteps) {
      const { actorLearningRate, criticLearningRate } = rates.at(numEnvSteps);
      const { target, fixed, learningRate } = temperature;
      return learner.update({
        numUpdates,
        fill,
        scalars: {
          actorLearningRate,
          criticLearningRate,
          temperatureLearningRate: learningRate(actorLearningRate, numEnvSteps),
          temperature: fixed,
          targetEntropy: target(numEnvSteps),
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
    state: [...transitions.state, streamState('noise', noise), ...dropout.state, schedulesState(rates)],
    setSchedule: rates.set,
  });
}

/** For the actions of s and those of s'; a choice among actions has none. */
function fillNoise(stream: Stream, { columns: { noise, nextNoise } }: ObjectiveBatch): void {
  if (noise !== undefined) fillNormals(stream, noise);
  if (nextNoise !== undefined) fillNormals(stream, nextNoise);
}

/** What the objective needs to know of the temperature, and what it is. */
function createTemperature(
  { training }: Pick<SoftActorCriticConfig, 'training'>,
  { learner }: Pick<OffPolicySystem, 'learner'>,
  { targetEntropy }: SoftActorCriticVariant,
) {
  const { temperature, temperatureLearningRate, scheduleSteps } = training;
  const { temperatureLearningRate: rate } = softActorCriticOptions.training;
  return {
    /** 0 where it is learnt. */
    fixed: temperature === 'auto' ? 0 : temperature,
    target: (numEnvSteps: number) => (temperature === 'auto' ? targetEntropy(learner.model, numEnvSteps) : 0),
    learningRate: (actorLearningRate: number, numEnvSteps: number) =>
      temperatureLearningRate === null
        ? actorLearningRate
        : scheduledValue('temperatureLearningRate', rate, temperatureLearningRate, {
            step: numEnvSteps,
            scheduleSteps,
          }),
    current: (): number =>
      temperature === 'auto' ? Math.exp(learner.readNetwork('logTemperature')[0]) : temperature,
  };
}
