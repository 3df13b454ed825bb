/** APPO among several agents: a learner, a target policy and a circular buffer for every policy, each with the steps that it took. */

import type { AgentsJudge } from '../../src/algorithm/agents/agents-judge.ts';
import { learnJudged, takeInObservations } from '../../src/algorithm/agents/agents-learning.ts';
import type { LearningPolicy } from '../../src/algorithm/agents/agents-policies.ts';
import type { StudentMetrics } from '../../src/algorithm/agents/agents-report.ts';
import { explainedBy, samplesOf, versionsOf } from '../../src/algorithm/agents/agents-samples.ts';
import {
  type AheadStudent,
  configOfActor,
  createAheadAgents,
  type InOneThread,
  OF_THE_RUN,
} from '../../src/algorithm/agents/ahead-agents.ts';
import type { Algorithm } from '../../src/algorithm/algorithm.ts';
import { createIterationTally } from '../../src/algorithm/iteration-tally.ts';
import { schedulesState, streamState } from '../../src/algorithm/own-state.ts';
import { policyStream, stateName } from '../../src/algorithm/policy-names.ts';
import { createSchedules } from '../../src/config/schedules.ts';
import { shuffleInPlace } from '../../src/random/shuffle.ts';
import type { Stream } from '../../src/random/streams.ts';
import type { GroupViews } from '../../src/rollout/agents/agents-layout.ts';
import { ppoLossParts } from '../ppo/loss-parts.ts';
import { appoOptions, checkAPPO, type ResolvedAPPOConfig } from './config.ts';
import { PLAIN_LOSS, SCHEDULES } from './loss-parts.ts';
import { surrogateLogProbs } from './surrogate.ts';

type PolicyConfig = InOneThread<ResolvedAPPOConfig>;

/**
 * Starts APPO in an environment of several agents. As `createAPPO`, with these differences: a sample is an agent's own step; rewards that
 * come until it acts again, or ends, are that step's; V-trace runs along an agent's own steps; each policy has a target policy of its own, and a
 * buffer of the fragments in which it acted. With one agent an environment the numbers are those of `createAPPO`.
 *
 * @throws ConfigError when environment, policies and options do not fit together.
 */
export function createMultiAgentAPPO(config: ResolvedAPPOConfig): Promise<Algorithm> {
  return createAheadAgents<ResolvedAPPOConfig>(config, {
    name: 'appo',
    learning: (inOneThread) => ({
      configOf: (entry) =>
        configOfActor(inOneThread, entry, appoOptions.training, checkAPPO, [
          ...OF_THE_RUN,
          'circularBufferSize',
        ]),
      lossOf: ({ training }) => ppoLossParts({ ...PLAIN_LOSS, valueCoeff: training.valueCoeff }),
      boundsOf: ({ training }) => ({ numEpochs: 1, minibatchSize: training.minibatchSize }),
    }),
    ...{ numKept: config.training.circularBufferSize, numOwnSlots: 1, numColumns: 2 },
    createStudent,
  });
}

/** What a policy did in a fragment. */
interface KeptSteps {
  readonly group: GroupViews;
  readonly samples: Int32Array;
}

const NOTHING = { group: null, samples: new Int32Array(0) } as const;

type Scalars = Record<(typeof SCHEDULES)[number], number>;

function createStudent(policy: LearningPolicy<PolicyConfig>, judge: AgentsJudge): AheadStudent {
  const { name, config, index } = policy;
  const { targetUpdateInterval, numPasses, circularBufferSize } = config.training;
  const schedules = createSchedules(appoOptions.training, [...SCHEDULES], config.training);
  const shuffle = policyStream(config.debugging.seed, 'shuffle', name);
  const replay = policyStream(config.debugging.seed, 'circular-buffer', name);
  const learnPass = createPass(policy, judge, shuffle);
  const [target] = judge.ownSlots;
  const buffer: KeptSteps[] = [];
  let tally = createIterationTally();
  let numSteps = 0;
  let told: StudentMetrics = {};
  return {
    name,
    begin() {
      tally = createIterationTally();
      numSteps = 0;
      told = {};
      buffer.length = 0;
    },
    async learn({ group, version, k, numEnvSteps, lag }) {
      if (k % targetUpdateInterval === 0) judge.copySlot(judge.addressOf(version), target);
      const samples = samplesOf(group, index);
      numSteps += samples.length;
      if (samples.length === 0) return; // nobody's turn came: there is nothing to learn from
      const scalars = schedules.at(numEnvSteps);
      const newest = { group, samples };
      buffer.push(newest);
      if (buffer.length > circularBufferSize) buffer.shift();
      for (let pass = 0; pass < numPasses; pass++) {
        const chosen = pass === 0 ? newest : buffer[replay.integer(buffer.length)];
        lag.add(versionsOf(chosen.group, chosen.samples), version);
        const { update, metrics } = await learnPass(chosen, version, scalars, pass === 0);
        tally.addUpdates({ ...update, numUpdates: update.numMinibatches - update.numSkipped });
        told = metrics;
      }
      takeInObservations(policy, group, samples);
      for (const schedule of SCHEDULES) told[`train/${schedule}`] = scalars[schedule];
    },
    tell() {
      const { group, samples } = buffer.at(-1) ?? NOTHING;
      const explained = group === null ? null : explainedBy(group, samples); // passes over older fragments came after it
      return {
        ...told,
        ...tally.trainMetrics(),
        ...(explained === null ? {} : { 'train/explainedVariance': explained }),
        [`policy/${name}/numSteps`]: numSteps,
      };
    },
    setSchedule: schedules.set,
    state: [
      streamState(stateName(name, 'shuffle'), shuffle),
      streamState(stateName(name, 'circularBuffer'), replay),
      schedulesState(schedules, stateName(name, 'schedules')),
    ],
  };
}

/** One pass over a policy's steps in a fragment: judge, targets, minibatches. */
function createPass(policy: LearningPolicy<PolicyConfig>, judge: AgentsJudge, shuffle: Stream) {
  const { training, multiAgent } = policy.config;
  const { gamma, vtraceLambda: lambda, rhoClip, traceClip, minibatchSize, normalizeAdvantages } = training;
  const options = { gamma, lambda, rhoClip, traceClip, discountBy: multiAgent.discountBy };
  const [targetLogProbs, oldLogProbs] = judge.columns; // f32 [N, C] each
  const [target] = judge.ownSlots;
  return ({ group, samples }: KeptSteps, version: number, scalars: Scalars, isNew: boolean) => {
    judge.logProbs(group, samples, target, targetLogProbs);
    judge.values(group, samples, version);
    judge.vtrace(group, samples, targetLogProbs, options);
    surrogateLogProbs(group.rollout.logProbs, targetLogProbs, oldLogProbs);
    const permutations = samples.slice();
    shuffleInPlace(permutations, shuffle);
    const lesson = {
      ...{ samples, permutations, numEpochs: 1, minibatchSize, normalizeAdvantages, targetKl: null },
      scalars: { ...scalars, valueClipRange: 0, klPenaltyCoeff: 0 },
    };
    const judged = { ...group, rollout: { ...group.rollout, logProbs: oldLogProbs } };
    return learnJudged(policy, judged, lesson, isNew);
  };
}
