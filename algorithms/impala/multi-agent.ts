/** IMPALA among several agents: a learner for every policy, each with the steps that it took. */

import type { AgentsJudge } from '../../src/algorithm/agents/agents-judge.ts';
import { learnJudged, takeInObservations } from '../../src/algorithm/agents/agents-learning.ts';
import type { LearningPolicy } from '../../src/algorithm/agents/agents-policies.ts';
import type { StudentMetrics } from '../../src/algorithm/agents/agents-report.ts';
import { samplesOf, versionsOf } from '../../src/algorithm/agents/agents-samples.ts';
import {
  type AheadStudent,
  configOfActor,
  createAheadAgents,
  type InOneThread,
  OF_THE_RUN,
} from '../../src/algorithm/agents/ahead-agents.ts';
import type { Algorithm } from '../../src/algorithm/algorithm.ts';
import { createIterationTally } from '../../src/algorithm/iteration-tally.ts';
import { schedulesState } from '../../src/algorithm/own-state.ts';
import { stateName } from '../../src/algorithm/policy-names.ts';
import { createSchedules } from '../../src/config/schedules.ts';
import { policyGradientParts } from '../a2c/loss-parts.ts';
import { checkIMPALA, impalaOptions, type ResolvedIMPALAConfig } from './config.ts';

/**
 * Starts IMPALA in an environment of several agents. As `createIMPALA`, with these differences: a sample is an agent's own step; rewards that
 * come until it acts again, or ends, are that step's; V-trace runs along an agent's own steps; each policy makes one step of its optimizer
 * over the samples that it took in a fragment. With one agent an environment the numbers are those of `createIMPALA`.
 *
 * @throws ConfigError when environment, policies and options do not fit together.
 */
export function createMultiAgentIMPALA(config: ResolvedIMPALAConfig): Promise<Algorithm> {
  return createAheadAgents<ResolvedIMPALAConfig>(config, {
    name: 'impala',
    learning: (inOneThread) => ({
      configOf: (entry) => configOfActor(inOneThread, entry, impalaOptions.training, checkIMPALA, OF_THE_RUN),
      lossOf: ({ training }) => policyGradientParts(training),
      boundsOf: (_own, numSamples) => ({ numEpochs: 1, minibatchSize: numSamples }),
    }),
    ...{ numKept: 1, numOwnSlots: 0, numColumns: 1 },
    createStudent,
  });
}

function createStudent(
  policy: LearningPolicy<InOneThread<ResolvedIMPALAConfig>>,
  judge: AgentsJudge,
): AheadStudent {
  const { name, config, index } = policy;
  const { gamma, vtraceLambda: lambda, rhoClip, traceClip, normalizeAdvantages } = config.training;
  const schedules = createSchedules(
    impalaOptions.training,
    ['learningRate', 'entropyCoeff'],
    config.training,
  );
  const options = { gamma, lambda, rhoClip, traceClip, discountBy: config.multiAgent.discountBy };
  const [targetLogProbs] = judge.columns; // f32 [N, C]
  let tally = createIterationTally();
  let numSteps = 0;
  let told: StudentMetrics = {};
  return {
    name,
    begin() {
      tally = createIterationTally();
      numSteps = 0;
      told = {};
    },
    async learn({ group, version, numEnvSteps, lag }) {
      const samples = samplesOf(group, index);
      numSteps += samples.length;
      if (samples.length === 0) return; // nobody's turn came: there is nothing to learn from
      const scalars = schedules.at(numEnvSteps);
      lag.add(versionsOf(group, samples), version);
      judge.logProbs(group, samples, judge.addressOf(version), targetLogProbs);
      judge.values(group, samples, version);
      judge.vtrace(group, samples, targetLogProbs, options);
      const lesson = {
        ...{ samples, scalars, normalizeAdvantages, targetKl: null },
        ...{ numEpochs: 1, minibatchSize: samples.length, permutations: samples },
      };
      const { update, metrics } = await learnJudged(policy, group, lesson, true);
      takeInObservations(policy, group, samples);
      tally.addUpdates({ ...update, numUpdates: update.numMinibatches - update.numSkipped });
      told = {
        ...metrics,
        'train/learningRate': scalars.learningRate,
        'train/entropyCoeff': scalars.entropyCoeff,
      };
    },
    tell: () => ({ ...told, ...tally.trainMetrics(), [`policy/${name}/numSteps`]: numSteps }),
    setSchedule: schedules.set,
    state: [schedulesState(schedules, stateName(name, 'schedules'))],
  };
}
