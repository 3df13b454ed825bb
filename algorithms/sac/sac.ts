/** Soft actor-critic (Haarnoja et al. 2018, arXiv:1812.05905): the whole algorithm, top to bottom. */
import type { Algorithm } from '../../src/algorithm/algorithm.ts';
import { createDropout } from '../../src/algorithm/dropout-seeds.ts';
import type { EnvDescription } from '../../src/algorithm/environment-source.ts';
import { createFragments } from '../../src/algorithm/fragments.ts';
import { createOffPolicyAlgorithm } from '../../src/algorithm/off-policy-algorithm.ts';
import { createOffPolicyIteration } from '../../src/algorithm/off-policy-iteration.ts';
import type { OffPolicyStudent, OffPolicyStudentParts } from '../../src/algorithm/off-policy-student.ts';
import { createOffPolicySystem, type OffPolicyParts } from '../../src/algorithm/off-policy-system.ts';
import { schedulesState, streamState } from '../../src/algorithm/own-state.ts';
import { DEFAULT_POLICY, policyStream, stateName } from '../../src/algorithm/policy-names.ts';
import { createReplayDraws } from '../../src/algorithm/replay-draws.ts';
import { fillNormals } from '../../src/algorithm/transitions.ts';
import { createSchedules, scheduledValue } from '../../src/config/schedules.ts';
import type { ObjectiveBatch, ObjectiveLearner } from '../../src/learner/objective-learner.ts';
import type { ModelSpec } from '../../src/policy/networks/model.ts';
import type { Stream } from '../../src/random/streams.ts';
import { type ResolvedSACConfig, type SoftActorCriticConfig, softActorCriticOptions } from './config.ts';
import { type SacCritics, sacParts } from './setup.ts';

const IS_SOURCE = import.meta.url.endsWith('.ts');
const GRADIENT = new URL(IS_SOURCE ? './gradient.ts' : './gradient.js', import.meta.url).href;

/** @throws ConfigError when environment, networks, memory and options do not fit together. */
export async function createSAC(config: ResolvedSACConfig): Promise<Algorithm> {
  return createSoftActorCritic(config, sacVariant(config));
}

export function sacVariant(config: ResolvedSACConfig): SoftActorCriticVariant {
  return continuousVariant(config, {
    name: 'sac',
    criticOutputs: 1,
    closedForm: { module: GRADIENT, export: 'createSacGradient', options: {} },
    losses: async (model) => (await import('./loss.ts')).createSacLoss(model, {}),
  });
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
 *     updates             updatesPerStep for each step, each from a fresh batch, with recurrent cells of sequences:
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
  const { training, envRunners, debugging } = config;
  const system = await createOffPolicySystem(config, variant.parts);
  const { learner, scaling } = system;
  const draws = { ...training, seed: debugging.seed, priorities: null };
  const { transitions, ...memory } = createReplayDraws(system, draws);
  const parts = { name: DEFAULT_POLICY, config, learner, scaling, transitions };
  const student = createSoftStudent(parts, variant);
  const fragments = createFragments({
    system,
    numSteps: training.trainEvery * envRunners.numEnvs,
    lag: training.lag,
    exploration: student.exploration,
  });
  return createOffPolicyAlgorithm({
    name: variant.name,
    config,
    system,
    fragments,
    iterate: createOffPolicyIteration({ system, fragments, pace: training, ...memory, ...student }),
    replayState: transitions.replayState,
    state: student.state,
    setSchedule: student.setSchedule,
  });
}

/** How a policy explores and learns, be it the only one or one among several agents. */
export function createSoftStudent(
  { name, config, learner, scaling, transitions }: OffPolicyStudentParts<SoftActorCriticConfig>,
  variant: SoftActorCriticVariant,
): OffPolicyStudent {
  const { training, debugging, faultTolerance } = config;
  const noise = policyStream(debugging.seed, 'noise', name);
  const dropout = createDropout({ learner }, debugging.seed, name);
  const names = ['actorLearningRate', 'criticLearningRate'] as const;
  const rates = createSchedules(softActorCriticOptions.training, names, training);
  const temperature = createTemperature(config, learner, variant);
  const fill = (_k: number, batch: ObjectiveBatch) => {
    transitions.fill(batch);
    fillNoise(noise, batch);
    dropout.fill(batch);
  };
  return {
    exploration: (step) => ({ epsilon: 0, noiseStd: 0, isRandom: step < training.learningStarts }),
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
        Object.entries(rates.at(numEnvSteps)).map(([rate, value]) => [`train/${rate}`, value]),
      ),
      'train/temperature': temperature.current(),
    }),
    state: [
      ...transitions.state,
      streamState(stateName(name, 'noise'), noise),
      ...dropout.state,
      schedulesState(rates, stateName(name, 'schedules')),
    ],
    setSchedule: rates.set,
  };
}

/** For the actions of s and those of s'; a choice among actions has none. */
function fillNoise(stream: Stream, { columns: { noise, nextNoise } }: ObjectiveBatch): void {
  if (noise !== undefined) fillNormals(stream, noise);
  if (nextNoise !== undefined) fillNormals(stream, nextNoise);
}

/** What the objective needs to know of the temperature, and what it is. */
function createTemperature(
  { training }: Pick<SoftActorCriticConfig, 'training'>,
  learner: ObjectiveLearner,
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
