/** Twin delayed deep deterministic policy gradients (Fujimoto et al. 2018, arXiv:1802.09477): the whole algorithm, top to bottom. */
import type { Algorithm } from '../../src/algorithm/algorithm.ts';
import { createDropout } from '../../src/algorithm/dropout-seeds.ts';
import type { EnvDescription } from '../../src/algorithm/environment-source.ts';
import { createFragments } from '../../src/algorithm/fragments.ts';
import {
  boundedBox,
  createCriticTrunk,
  createTrunk,
  observationInput,
} from '../../src/algorithm/model-setup.ts';
import { createOffPolicyAlgorithm } from '../../src/algorithm/off-policy-algorithm.ts';
import { createOffPolicyIteration } from '../../src/algorithm/off-policy-iteration.ts';
import type { OffPolicyStudent, OffPolicyStudentParts } from '../../src/algorithm/off-policy-student.ts';
import { createOffPolicySystem, type OffPolicyParts } from '../../src/algorithm/off-policy-system.ts';
import { schedulesState, streamState } from '../../src/algorithm/own-state.ts';
import { DEFAULT_POLICY, policyStream, stateName } from '../../src/algorithm/policy-names.ts';
import { createReplayDraws } from '../../src/algorithm/replay-draws.ts';
import { batchParts } from '../../src/algorithm/replay-parts.ts';
import { learntSequences } from '../../src/algorithm/sequence-rows.ts';
import { fillNormals } from '../../src/algorithm/transitions.ts';
import { createSchedules } from '../../src/config/schedules.ts';
import { type ResolvedTD3Config, td3Options } from './config.ts';
import { type Td3Shape, td3Model, td3Objective } from './objective.ts';

const IS_SOURCE = import.meta.url.endsWith('.ts');
const GRADIENT = new URL(IS_SOURCE ? './gradient.ts' : './gradient.js', import.meta.url).href;

/**
 * Starts TD3: environments, networks, replay buffer and learner.
 *
 * One round, of which an iteration has many:
 *
 *     fragment            trainEvery steps in every environment, actions with noise; uniformly random before learningStarts
 *     append              to the replay buffer
 *     updates             updatesPerStep for each step, each from a fresh batch, with recurrent cells of sequences:
 *         critics         towards r + discount min_i q_i'(s', a'), a' the target actor's with clipped noise
 *         actor           in every policyDelay-th update: up the first critic
 *         targets         then too: tau of the way, the actor's and the critics'
 *
 * Thread: main; the call resolves when every worker is ready. `stop()` the result.
 *
 * @throws ConfigError when environment, networks, memory and options do not fit together.
 */
export async function createTD3(config: ResolvedTD3Config): Promise<Algorithm> {
  const { training, envRunners, debugging } = config;
  const system = await createOffPolicySystem(config, (env) => td3Parts(env, config));
  const { learner, scaling } = system;
  const draws = { ...training, seed: debugging.seed, priorities: null };
  const { transitions, ...memory } = createReplayDraws(system, draws);
  const student = createTd3Student({ name: DEFAULT_POLICY, config, learner, scaling, transitions });
  const fragments = createFragments({
    system,
    numSteps: training.trainEvery * envRunners.numEnvs,
    lag: training.lag,
    exploration: student.exploration,
  });
  return createOffPolicyAlgorithm({
    name: 'td3',
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
export function createTd3Student({
  name,
  config,
  learner,
  scaling,
  transitions,
}: OffPolicyStudentParts<ResolvedTD3Config>): OffPolicyStudent {
  const { training, debugging, faultTolerance } = config;
  const { tau, targetNoise, targetNoiseClip } = training;
  const noise = policyStream(debugging.seed, 'noise', name);
  const dropout = createDropout({ learner }, debugging.seed, name);
  const names = ['actorLearningRate', 'criticLearningRate', 'explorationNoise'] as const;
  const schedules = createSchedules(td3Options.training, names, training);
  return {
    exploration: (step) => ({
      epsilon: 0,
      noiseStd: schedules.at(step).explorationNoise,
      isRandom: step < training.learningStarts,
    }),
    learn: (numUpdates, numEnvSteps) =>
      learner.update({
        numUpdates,
        fill(_k, batch) {
          transitions.fill(batch);
          fillNormals(noise, batch.columns.nextNoise);
          dropout.fill(batch);
        },
        scalars: { ...schedules.at(numEnvSteps), tau, targetNoise, targetNoiseClip },
        observationStatistics: scaling.statistics,
        nonFinite: faultTolerance.nonFinite,
      }),
    metrics: (numEnvSteps) =>
      Object.fromEntries(
        Object.entries(schedules.at(numEnvSteps)).map(([schedule, value]) => [`train/${schedule}`, value]),
      ),
    state: [
      ...transitions.state,
      streamState(stateName(name, 'noise'), noise),
      ...dropout.state,
      schedulesState(schedules, stateName(name, 'schedules')),
    ],
    setSchedule: schedules.set,
  };
}

/** Small first outputs keep the tanh away from its flat ends (DDPG, Lillicrap et al. 2016, section 7). */
const ACTOR_HEAD_BOUND = 3e-3;

export function td3Parts(env: EnvDescription, { training, envRunners }: ResolvedTD3Config): OffPolicyParts {
  const { adamBeta1, adamBeta2, adamEpsilon, weightDecay, noiseProcess } = training;
  const { size, low, high } = boundedBox(env, 'td3');
  const isNormalized = envRunners.normalizeObservations;
  const shape: Td3Shape = {
    observation: observationInput(env, { network: training.network, isNormalized }),
    clipObservation: envRunners.clipObservation,
    actionSize: size,
    actorTrunk: createTrunk(env, training),
    criticTrunk: createCriticTrunk(env, training),
    numCritics: training.numCritics,
    policyDelay: training.policyDelay,
    maxGradNorm: training.maxGradNorm,
    adam: { adamBeta1, adamBeta2, adamEpsilon, weightDecay },
    sequences: learntSequences(training),
  };
  const ornsteinUhlenbeck = noiseProcess === 'ornstein-uhlenbeck' ? { theta: 0.15, dt: 1 } : null;
  const model = td3Model(shape);
  return {
    model,
    objective: td3Objective(shape),
    closedForm: { module: GRADIENT, export: 'createTd3Gradient', options: {} },
    losses: async () => (await import('./loss.ts')).createTd3Loss(model, {}),
    acting: {
      network: 'actor',
      distribution: { kind: 'deterministic-tanh', size, low, high, ornsteinUhlenbeck },
    },
    ...batchParts(env, training),
    initialization: { headBounds: { actor: ACTOR_HEAD_BOUND } },
  };
}
