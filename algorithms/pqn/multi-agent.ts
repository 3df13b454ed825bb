/** PQN among several agents: a learner for every policy, each with the steps that it took. */

import {
  computeAdvantages,
  explainedBy,
  observedBy,
  samplesOf,
} from '../../src/algorithm/agents/agents-samples.ts';
import { refuseAmongSeveral } from '../../src/algorithm/agents/agents-stage.ts';
import { learnedObjectiveState } from '../../src/algorithm/agents/objective-agents-state.ts';
import {
  createObjectiveAgentsSystem,
  type LearningObjective,
} from '../../src/algorithm/agents/objective-agents-system.ts';
import { withOverrides } from '../../src/algorithm/agents/policy-config.ts';
import { createRolloutAgents, type Student } from '../../src/algorithm/agents/rollout-agents.ts';
import type { Algorithm } from '../../src/algorithm/algorithm.ts';
import { createIterationTally, type IterationTally } from '../../src/algorithm/iteration-tally.ts';
import { schedulesState, streamState } from '../../src/algorithm/own-state.ts';
import { policyStream, stateName } from '../../src/algorithm/policy-names.ts';
import { numEnvRunnersOf } from '../../src/config/derived.ts';
import { createSchedules } from '../../src/config/schedules.ts';
import { ON_POLICY_COLUMNS, type RolloutViews } from '../../src/experience/layout.ts';
import { shuffleInPlace } from '../../src/random/shuffle.ts';
import type { Exploration } from '../../src/weights/exploration.ts';
import { checkPQN, pqnOptions, type ResolvedPQNConfig } from './config.ts';
import { gatherMinibatch, portions } from './minibatch.ts';
import { pqnParts } from './setup.ts';

/**
 * Starts PQN in an environment of several agents. As `createPQN`, with these differences: a sample is an agent's own step; rewards that come
 * until it acts again, or ends, are that step's; Q(lambda) runs along an agent's own steps; policies learn one after the other, in the
 * order of their names. With one agent an environment the numbers are those of `createPQN`.
 *
 * @throws ConfigError when environment, policies and options do not fit together.
 */
export async function createMultiAgentPQN(config: ResolvedPQNConfig): Promise<Algorithm> {
  if (config.envRunners.normalizeRewards) refuseAmongSeveral('normalizeRewards');
  const { rolloutLength } = config.envRunners;
  const options = { rolloutLength, columns: ON_POLICY_COLUMNS, numEnvRunners: numEnvRunnersOf(config) };
  const system = await createObjectiveAgentsSystem(config, options, {
    configOf(entry) {
      const own = withOverrides(config, entry, pqnOptions.training, checkPQN);
      if (own.training.recurrent !== null) refuseAmongSeveral('recurrent');
      return own;
    },
    describe: pqnParts,
  });
  const students = system.learning.map(createStudent);
  return createRolloutAgents({
    ...{ name: 'pqn', config, stage: system, students, numPast: 0 },
    engine: system.learning[0]?.learner ?? null,
    publish: (numEnvSteps) => system.publish((k) => students[k].exploration(numEnvSteps)),
    policyState: system.learning.flatMap((policy) => learnedObjectiveState(policy, system)),
  });
}

type PqnStudent = Student & {
  /** How it explores in the rollout that begins there. */
  readonly exploration: (numEnvSteps: number) => Exploration;
};

function createStudent(policy: LearningObjective<ResolvedPQNConfig, unknown>): PqnStudent {
  const { name, config, index, scaling } = policy;
  const { training, debugging, multiAgent } = config;
  const { gamma, lambda } = training;
  const schedules = createSchedules(pqnOptions.training, ['learningRate', 'epsilon'], training);
  const shuffle = policyStream(debugging.seed, 'shuffle', name);
  const returns = { gamma, gaeLambda: lambda, discountBy: multiAgent.discountBy };
  const learnMinibatches = createUpdates(policy);
  return {
    name,
    exploration: (numEnvSteps) => ({
      epsilon: schedules.at(numEnvSteps).epsilon,
      noiseStd: 0,
      isRandom: false,
    }),
    async learn(group, numEnvSteps) {
      const samples = samplesOf(group, index);
      const counts = { [`policy/${name}/numSteps`]: samples.length };
      if (samples.length === 0) return counts; // nobody's turn came: there is nothing to learn from
      const tally = createIterationTally();
      const { learningRate, epsilon } = schedules.at(numEnvSteps);
      computeAdvantages(group, returns);
      for (let epoch = 0; epoch < training.numEpochs; epoch++) {
        const order = samples.slice();
        shuffleInPlace(order, shuffle);
        await learnMinibatches(group.rollout, order, learningRate, tally);
      }
      if (scaling.isRunning) scaling.absorb(observedBy(group, group.rollout.observations, samples));
      const explained = explainedBy(group, samples);
      return {
        ...counts,
        ...tally.trainMetrics(),
        ...(explained === null ? {} : { 'train/explainedVariance': explained }),
        'train/learningRate': learningRate,
        'train/epsilon': epsilon,
      };
    },
    setSchedule: schedules.set,
    state: [
      streamState(stateName(name, 'shuffle'), shuffle),
      schedulesState(schedules, stateName(name, 'schedules')),
    ],
  };
}

/** Regression on the returns of samples in this order, minibatch by minibatch. */
function createUpdates({ config, spec, learner, scaling }: LearningObjective<ResolvedPQNConfig, unknown>) {
  const { training, faultTolerance } = config;
  return async (rollout: RolloutViews, order: Int32Array, learningRate: number, tally: IterationTally) => {
    for (const [first, numUpdates, batchSize] of portions(order.length, training.minibatchSize)) {
      const stats = await learner.update({
        numUpdates,
        batchSize,
        fill(k, { columns }) {
          const begin = first + k * batchSize;
          gatherMinibatch(rollout, spec, order.subarray(begin, begin + batchSize), columns);
        },
        scalars: { learningRate },
        observationStatistics: scaling.statistics,
        nonFinite: faultTolerance.nonFinite,
      });
      tally.addUpdates(stats);
    }
  };
}
