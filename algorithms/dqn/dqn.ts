/** Deep Q-learning (Mnih et al. 2015) and what was added to it: the whole algorithm, top to bottom. */
import type { Algorithm } from '../../src/algorithm/algorithm.ts';
import { createFragments } from '../../src/algorithm/fragments.ts';
import { createOffPolicyAlgorithm } from '../../src/algorithm/off-policy-algorithm.ts';
import { createOffPolicyIteration } from '../../src/algorithm/off-policy-iteration.ts';
import type { OffPolicyStudent, OffPolicyStudentParts } from '../../src/algorithm/off-policy-student.ts';
import { createOffPolicySystem } from '../../src/algorithm/off-policy-system.ts';
import { schedulesState } from '../../src/algorithm/own-state.ts';
import { isCrossed } from '../../src/algorithm/pace.ts';
import { DEFAULT_POLICY, stateName } from '../../src/algorithm/policy-names.ts';
import { createReplayDraws } from '../../src/algorithm/replay-draws.ts';
import { createSchedules } from '../../src/config/schedules.ts';
import { dqnOptions, type ResolvedDQNConfig } from './config.ts';
import { createNoise, type DqnNoise } from './noise.ts';
import { dqnParts } from './setup.ts';

/**
 * Starts DQN: environments, network, replay buffer and learner.
 *
 * One round, of which an iteration has many:
 *
 *     fragment            trainEvery steps in every environment, epsilon-greedy, with noisy layers as one draw of them; uniformly random
 *                         before learningStarts
 *     append              to the replay buffer
 *     updates             updatesPerStep for each step, each from a fresh batch, by priority when asked for, with a recurrent cell of sequences:
 *         q               towards r + discount Z'(s', a*), Z the value, C51's distribution or quantiles of the return
 *         priorities      from the batch's errors
 *     target              a copy after every targetInterval environment steps, or tau of the way in every update
 *
 * Thread: main; the call resolves when every worker is ready. `stop()` the result.
 *
 * @throws ConfigError when environment, network, memory and options do not fit together.
 */
export async function createDQN(config: ResolvedDQNConfig): Promise<Algorithm> {
  const { training, envRunners, debugging } = config;
  const system = await createOffPolicySystem(config, (env) => dqnParts(env, config));
  const { learner, scaling } = system;
  const { seed } = debugging;
  const priorities = training.prioritised ? { exponent: training.priorityExponent } : null;
  const { transitions, ...memory } = createReplayDraws(system, { ...training, seed, priorities });
  const noise = createNoise(config, system);
  const student = createDqnStudent({ name: DEFAULT_POLICY, config, learner, scaling, transitions }, noise);
  const fragments = createFragments({
    system,
    numSteps: training.trainEvery * envRunners.numEnvs,
    lag: training.lag,
    exploration: student.exploration,
    ...(noise !== null && { perturb: noise.perturbActing }),
  });
  const iterate = createOffPolicyIteration({
    system,
    fragments,
    pace: training,
    ...memory,
    ...student,
  });
  return createOffPolicyAlgorithm({
    name: 'dqn',
    config,
    system,
    fragments,
    iterate,
    replayState: transitions.replayState,
    state: student.state,
    setSchedule: student.setSchedule,
  });
}

/** How a policy explores and learns, be it the only one or one among several agents. @param noise null = plain layers. */
export function createDqnStudent(
  { name, config, learner, scaling, transitions }: OffPolicyStudentParts<ResolvedDQNConfig>,
  noise: DqnNoise | null,
): OffPolicyStudent {
  const { training, faultTolerance } = config;
  const { tau, targetInterval, learningStarts } = training;
  const names = ['learningRate', 'epsilon', 'importanceExponent'] as const;
  const schedules = createSchedules(dqnOptions.training, names, training);
  return {
    exploration: (step) => ({
      epsilon: schedules.at(step).epsilon,
      noiseStd: 0,
      isRandom: step < learningStarts,
    }),
    learn(numUpdates, numEnvSteps) {
      const { learningRate, importanceExponent } = schedules.at(numEnvSteps);
      return learner.update({
        numUpdates,
        fill(_k, batch) {
          transitions.fill(batch, importanceExponent);
          noise?.fill(batch);
        },
        after: (_k, batch) => transitions.after(batch),
        scalars: { learningRate, tau: tau ?? 0 },
        observationStatistics: scaling.statistics,
        nonFinite: faultTolerance.nonFinite,
      });
    },
    afterRound(before, after) {
      if (tau === null && isCrossed(targetInterval, before, after)) learner.blendTargets(1);
    },
    metrics(numEnvSteps) {
      const { learningRate, epsilon } = schedules.at(numEnvSteps);
      return { 'train/learningRate': learningRate, 'train/epsilon': epsilon };
    },
    state: [
      ...transitions.state,
      ...(noise?.state ?? []),
      schedulesState(schedules, stateName(name, 'schedules')),
    ],
    setSchedule: schedules.set,
  };
}
