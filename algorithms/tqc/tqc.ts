/** Truncated quantile critics (Kuznetsov et al. 2020, arXiv:2005.04269): the whole algorithm, top to bottom. */
import type { Algorithm } from '../../src/algorithm/algorithm.ts';
import { createFragments } from '../../src/algorithm/fragments.ts';
import { createOffPolicyAlgorithm } from '../../src/algorithm/off-policy-algorithm.ts';
import { createOffPolicyIteration } from '../../src/algorithm/off-policy-iteration.ts';
import { createOffPolicySystem } from '../../src/algorithm/off-policy-system.ts';
import { schedulesState, streamState } from '../../src/algorithm/own-state.ts';
import { createTransitions, fillNormals } from '../../src/algorithm/transitions.ts';
import { createSchedules } from '../../src/config/schedules.ts';
import { openStream } from '../../src/random/streams.ts';
import { createTemperature } from '../sac/sac.ts';
import { type LossForms, sacParts, sacShape } from '../sac/setup.ts';
import { type ResolvedTQCConfig, tqcOptions } from './config.ts';

const IS_SOURCE = import.meta.url.endsWith('.ts');
const GRADIENT = new URL(IS_SOURCE ? './gradient.ts' : './gradient.js', import.meta.url).href;

/**
 * Starts TQC: SAC whose critics give quantiles of the return.
 *
 * One round, of which an iteration has many:
 *
 *     fragment            trainEvery steps in every environment; uniformly random actions before learningStarts
 *     append              to the replay buffer
 *     updates             updatesPerStep for each step, each from a fresh batch:
 *         critics         every quantile towards those of all targets together, without the largest ones
 *         actor           up the mean of all quantiles, with an entropy bonus
 *         temperature     towards targetEntropy
 *         targets         tau of the way towards the critics
 *
 * Thread: main; the call resolves when every worker is ready. `stop()` the result.
 *
 * @throws ConfigError when environment, networks, memory and options do not fit together.
 */
export async function createTQC(config: ResolvedTQCConfig): Promise<Algorithm> {
  const { training, envRunners, debugging, faultTolerance } = config;
  const { seed } = debugging;
  const options = { numDropped: training.numDroppedQuantiles };
  const forms: LossForms = {
    closedForm: { module: GRADIENT, export: 'createTqcGradient', options },
    losses: async (model) => (await import('./loss.ts')).createTqcLoss(model, options),
  };
  const system = await createOffPolicySystem(config, (env) =>
    sacParts(env, sacShape(env, config, 'tqc', training.numQuantiles), forms, training),
  );
  const { learner, scaling } = system;
  const transitions = createTransitions(system, { ...training, seed, priorities: null });
  const noise = openStream(seed, 'noise');
  const rates = createSchedules(tqcOptions.training, ['actorLearningRate', 'criticLearningRate'], training);
  const temperature = createTemperature(config, system);
  const fragments = createFragments({
    system,
    numSteps: training.trainEvery * envRunners.numEnvs,
    lag: training.lag,
    exploration: (step) => ({ epsilon: 0, noiseStd: 0, isRandom: step < training.learningStarts }),
  });

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
    name: 'tqc',
    config,
    system,
    fragments,
    iterate,
    replayState: transitions.replayState,
    state: [...transitions.state, streamState('noise', noise), schedulesState(rates)],
    setSchedule: rates.set,
  });
}
