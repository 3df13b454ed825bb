/** Q-learning put together from the parts that off-policy algorithms stand on: how one looks from the outside, and what tests run. */
import { onTestFinished } from 'vitest';
import type { Algorithm } from '../../src/algorithm/algorithm.ts';
import { createFragments } from '../../src/algorithm/fragments.ts';
import { createIterationTally } from '../../src/algorithm/iteration-tally.ts';
import { createOffPolicyAlgorithm } from '../../src/algorithm/off-policy-algorithm.ts';
import { createOffPolicySystem } from '../../src/algorithm/off-policy-system.ts';
import { streamState } from '../../src/algorithm/own-state.ts';
import { fragmentsPerIteration, isCrossed, numUpdatesDue } from '../../src/algorithm/pace.ts';
import { checkPace, paceOptions } from '../../src/config/blocks/pace.ts';
import { prefillOptions } from '../../src/config/blocks/prefill.ts';
import { offPolicyOptions } from '../../src/config/common-options.ts';
import type { ConfigInput, ResolvedConfig } from '../../src/config/option.ts';
import { defineAlgorithm } from '../../src/define/define-algorithm.ts';
import { openStream } from '../../src/random/streams.ts';
import type { TransitionBatch } from '../../src/replay/gather.ts';
import { replayState } from '../../src/replay/replay-state.ts';
import { sampleUniform } from '../../src/replay/uniform-sampler.ts';
import { qModel, qObjective } from './fixtures/q-objective.ts';

const options = { ...offPolicyOptions, training: { ...paceOptions, ...prefillOptions } };
const GRADIENT = new URL('./fixtures/q-objective.ts', import.meta.url).href;
const closedForm = { module: GRADIENT, export: 'createQGradient', options: {} };
const CAPACITY = 700;

async function createQLearning(config: ResolvedConfig<typeof options>): Promise<Algorithm> {
  const { training, envRunners, debugging, faultTolerance } = config;
  const system = await createOffPolicySystem(config, ({ observation, action }) => {
    const sizes = action.kind === 'categorical' ? action.sizes : [];
    return {
      model: qModel(observation.size, sizes[0]),
      objective: qObjective(observation.size),
      closedForm,
      acting: {
        network: 'q',
        distribution: { kind: 'epsilon-greedy', sizes, numAtoms: 1, support: null, dueling: false },
      },
      replay: { capacity: CAPACITY },
    };
  });
  const { learner, replay, scaling } = system;
  learner.blendTargets(1);
  const numSteps = training.trainEvery * envRunners.numEnvs;
  const fragments = createFragments({
    system,
    numSteps,
    lag: training.lag,
    exploration: (step) => ({
      epsilon: Math.max(0.05, 1 - step / 1000),
      noiseStd: 0,
      isRandom: step < training.learningStarts,
    }),
  });
  const stream = openStream(debugging.seed, 'replay');
  const indices = new Int32Array(training.batchSize);

  return createOffPolicyAlgorithm({
    name: 'q-learning',
    config,
    system,
    fragments,
    replayState: replayState(replay, { sampler: null }),
    state: [streamState('replay', stream)],
    async iterate(numEnvSteps) {
      const tally = createIterationTally();
      const numFragments = fragmentsPerIteration(training.stepsPerIteration, numSteps);
      fragments.begin(numFragments, numEnvSteps);
      let step = numEnvSteps;
      for (let k = 0; k < numFragments; k++, step += numSteps) {
        const next = fragments.next();
        const collected = next instanceof Promise ? await next : next;
        replay.append(collected.rollout);
        scaling.absorb(collected.rollout);
        tally.addFragment(collected);
        const numUpdates = numUpdatesDue(training, step, step + numSteps);
        if (numUpdates > 0) {
          const stats = await learner.update({
            numUpdates,
            fill(_k, batch) {
              sampleUniform(replay, 1, stream, indices);
              replay.gather(indices, 1, 0.9, batch.columns as unknown as TransitionBatch);
            },
            scalars: { learningRate: 1e-3, tau: 0 },
            observationStatistics: scaling.statistics,
            nonFinite: faultTolerance.nonFinite,
          });
          tally.addUpdates(stats);
        }
        if (isCrossed(100, step, step + numSteps)) learner.blendTargets(1);
      }
      const metrics = {
        ...tally.trainMetrics(),
        'replay/size': replay.size,
        'time/rolloutMs': fragments.takeMs(),
      };
      return tally.finish(numFragments * numSteps, metrics);
    },
  });
}

const definition = defineAlgorithm({
  name: 'q-learning',
  options,
  check: checkPace,
  create: createQLearning,
});

/** Stopped when the test ends. */
export async function openQLearning(input: ConfigInput<typeof options>): Promise<Algorithm> {
  const algorithm = await definition.build(definition.resolve([{ values: input }]));
  onTestFinished(() => algorithm.stop());
  return algorithm;
}
