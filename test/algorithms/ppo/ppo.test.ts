import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ppoMetrics } from '../../../algorithms/ppo/metrics.ts';
import type { CheckpointContent } from '../../../src/checkpoint/content.ts';
import { Box, Discrete, type Env, type EnvFactory, PPOConfig } from '../../../src/index.ts';
import { SHARED_METRICS } from '../../../src/metrics/metric-keys.ts';
import { openStream } from '../../../src/random/streams.ts';

type Builder = InstanceType<typeof PPOConfig>;

function configFor(env: string | EnvFactory = 'CartPole-v1'): Builder {
  return new PPOConfig()
    .environment(env)
    .envRunners({ numEnvRunners: 0, numEnvs: 4, rolloutLength: 50 })
    .training({ numEpochs: 4, minibatchSize: 50, hiddenSizes: [16] })
    .learners({ engine: 'simd' });
}

async function open(config: Builder) {
  const algorithm = await config.build();
  onTestFinished(() => algorithm.stop());
  return algorithm;
}

async function trainSome(config: Builder, count: number) {
  const algorithm = await open(config);
  const results = [];
  for (let k = 0; k < count; k++) results.push(await algorithm.train());
  return { results, content: await algorithm.getState() };
}

const weightsOf = ({ tensors }: CheckpointContent) =>
  Object.entries(tensors['policies/default/weights.safetensors']).flatMap(([name, { data }]) =>
    name.startsWith('observation/') ? [] : [...data],
  );

/** Rewards that vary, times `scale`. */
const noisyRewards = (scale: number) => (): Env => {
  let random = openStream(0, 'rewards');
  let step = 0;
  const observe = () => [random.uniform(), step / 20];
  return {
    observationSpace: new Box(0, 1, [2]),
    actionSpace: new Discrete(2),
    reset({ seed = 0 } = {}) {
      random = openStream(seed, 'rewards');
      step = 0;
      return { observation: observe() };
    },
    step(action) {
      step += 1;
      const reward = scale * (Number(action) + Math.fround(random.normal()));
      return { observation: observe(), reward, terminated: step === 20, truncated: false };
    },
  };
};

describe('the update', () => {
  it('begins at the policy that acted: the ratio is 1 in the first minibatch', async () => {
    for (const env of ['CartPole-v1', 'Pendulum-v1']) {
      const config = configFor(env).training({ numEpochs: 1, minibatchSize: 200 });
      const { results } = await trainSome(config, 3);
      for (const { metrics } of results) {
        expect(Math.abs(metrics['train/approxKl'])).toBeLessThan(1e-7);
        expect(metrics['train/clipFraction']).toBe(0);
        // -mean of advantages that were shifted to mean 0
        expect(Math.abs(metrics['train/policyLoss'])).toBeLessThan(1e-5);
        expect(metrics['train/numUpdates']).toBe(1);
      }
    }
  });

  it('begins near the uniform policy, with entropy log 2 for two actions, and at standard deviation 1', async () => {
    const discrete = await trainSome(configFor().training({ numEpochs: 1, minibatchSize: 200 }), 1);
    expect(discrete.results[0].metrics['train/entropy']).toBeCloseTo(Math.LN2, 3);
    const config = configFor('Pendulum-v1').training({ numEpochs: 1, minibatchSize: 200, learningRate: 0 });
    const continuous = await trainSome(config, 1);
    expect(continuous.results[0].metrics['train/entropy']).toBeCloseTo(
      0.5 * Math.log(2 * Math.PI * Math.E),
      5,
    );
    expect(continuous.results[0].metrics['train/actionStd']).toBe(1);
  });

  it('takes numEpochs * ceil(samples / minibatchSize) steps', async () => {
    const { results, content } = await trainSome(
      configFor().training({ minibatchSize: 64, numEpochs: 3 }),
      2,
    );
    for (const { metrics } of results) {
      expect(metrics['train/numUpdates']).toBe(3 * 4); // 200 = 3 * 64 + 8
      expect(metrics['train/numEpochs']).toBe(3);
      expect(metrics['train/numSkippedUpdates']).toBe(0);
    }
    expect(content.json['state.json'].optimizerStep).toBe(24);
  });

  it('leaves the weights alone with learning rate 0', async () => {
    const config = configFor().training({ learningRate: 0 });
    const algorithm = await open(config);
    const before = weightsOf(await algorithm.getState());
    const { metrics } = await algorithm.train();
    expect(weightsOf(await algorithm.getState())).toEqual(before);
    expect(metrics['train/gradNorm']).toBeGreaterThan(0);
  });

  it('stops at the end of the epoch whose KL exceeds 1.5 targetKl', async () => {
    const eager = configFor().training({ learningRate: 0.01, numEpochs: 10 });
    const unbounded = await trainSome(eager, 1);
    expect(unbounded.results[0].metrics['train/numEpochs']).toBe(10);
    const bounded = await trainSome(eager.copy().training({ targetKl: 1e-9 }), 1);
    expect(bounded.results[0].metrics['train/numEpochs']).toBe(1);
    expect(bounded.results[0].metrics['train/numUpdates']).toBe(4);
    const loose = await trainSome(eager.copy().training({ targetKl: 100 }), 1);
    expect(weightsOf(loose.content)).toEqual(weightsOf(unbounded.content));
  });

  it('adapts the weight of its KL penalty, which goes on after a checkpoint', async () => {
    const config = (target: number) =>
      configFor().training({ learningRate: 0.01, klPenaltyCoeff: 0.4, klPenaltyTarget: target });
    const coeffs = async (target: number) =>
      (await trainSome(config(target), 3)).results.map(({ metrics }) => metrics['train/klPenaltyCoeff']);
    expect(await coeffs(1e-9)).toEqual([0.4, 0.4 * 1.5, 0.4 * 1.5 * 1.5]);
    expect(await coeffs(100)).toEqual([0.4, 0.2, 0.1]);
    const whole = await trainSome(config(100), 4);
    const { content } = await trainSome(config(100), 2);
    const resumed = await open(config(100));
    await resumed.setState(content);
    const third = await resumed.train();
    expect(third.metrics['train/klPenaltyCoeff']).toBe(0.1);
    await resumed.train();
    expect(weightsOf(await resumed.getState())).toEqual(weightsOf(whole.content));
  });

  it('moves less far from the acting policy with a penalty', async () => {
    const kl = async (klPenaltyCoeff: number) => {
      const { results } = await trainSome(configFor().training({ learningRate: 0.01, klPenaltyCoeff }), 3);
      return results.map(({ metrics }) => metrics['train/approxKl']);
    };
    const [free, held] = [await kl(0), await kl(20)];
    for (const [k, value] of held.entries()) expect(value).toBeLessThan(free[k] / 2);
  });

  it('follows its schedules by the steps before the iteration', async () => {
    const config = configFor().training({
      learningRate: { schedule: 'linear', from: 1e-3, to: 2e-4 },
      clipRange: {
        schedule: 'piecewise',
        points: [
          [0, 0.3],
          [200, 0.3],
          [600, 0.1],
        ],
      },
      entropyCoeff: 0.02,
      scheduleSteps: 800,
    });
    const { results } = await trainSome(config, 6);
    const seen = (key: string) => results.map(({ metrics }) => metrics[key]);
    const expectClose = (key: string, expected: number[]) =>
      seen(key).forEach((value, k) => {
        expect(value).toBeCloseTo(expected[k], 12);
      });
    expectClose('train/learningRate', [1e-3, 8e-4, 6e-4, 4e-4, 2e-4, 2e-4]);
    expectClose('train/clipRange', [0.3, 0.3, 0.2, 0.1, 0.1, 0.1]);
    expectClose('train/entropyCoeff', new Array(6).fill(0.02));
  });
});

describe('statistics', () => {
  it('of observations are frozen during a rollout and used from the next one on', async () => {
    const plain = await trainSome(configFor(), 1);
    const normalized = await trainSome(configFor().envRunners({ normalizeObservations: true }), 1);
    // The first rollout acts under mean 0 and deviation 1: as without normalisation.
    expect(normalized.results[0].episodes).toEqual(plain.results[0].episodes);
    expect(weightsOf(normalized.content)).toEqual(weightsOf(plain.content));
    const tensors = normalized.content.tensors['policies/default/weights.safetensors'];
    expect([...tensors['observation/inverseStd'].data].every((value) => value > 1)).toBe(true);
  });

  it('of rewards make learning blind to their scale', async () => {
    const scaled = (scale: number) =>
      trainSome(configFor(noisyRewards(scale)).envRunners({ normalizeRewards: true, clipReward: 3 }), 4);
    const [one, thousand] = [await scaled(1), await scaled(1024)];
    const [a, b] = [weightsOf(one.content), weightsOf(thousand.content)];
    const distance = Math.hypot(...a.map((value, k) => value - b[k])) / Math.hypot(...a);
    expect(distance).toBeLessThan(1e-3);
    const plain = await trainSome(configFor(noisyRewards(1024)), 4);
    const [c, d] = [weightsOf(plain.content), a];
    expect(Math.hypot(...c.map((value, k) => value - d[k])) / Math.hypot(...d)).toBeGreaterThan(0.02);
    // Returns are told in raw rewards.
    expect(thousand.results[0].episodeReturnMean).toBeCloseTo(
      1024 * (one.results[0].episodeReturnMean ?? 0),
      2,
    );
  });
});

describe('the result of an iteration', () => {
  it('has finite metrics, all of them declared', async () => {
    const config = configFor('Pendulum-v1')
      .envRunners({ numEnvs: 2, rolloutLength: 200, normalizeObservations: true })
      .training({ klPenaltyCoeff: 0.2, curiosity: 'icm' })
      .evaluation({ evaluationInterval: 1, evaluationEpisodes: 2 });
    const { results } = await trainSome(config, 2);
    const declared = Object.keys({ ...SHARED_METRICS, ...ppoMetrics });
    for (const { metrics } of results) {
      for (const [key, value] of Object.entries(metrics)) {
        expect([key, declared.includes(key) && Number.isFinite(value)]).toEqual([key, true]);
      }
      // Every declared one is there: nothing is declared and never filled. Visits are for discrete observations (test/algorithm/curiosity),
      // some are of several agents alone (test/algorithm/league, test/algorithm/agents), of a cluster (test/cluster) or of a curriculum
      // (test/invariants).
      const elsewhere = ['train/criticGradNorm', 'rollout/curriculumStage'];
      const ofThisRun = declared.filter(
        (key) => !/^(league|cluster)\//.test(key) && !elsewhere.includes(key),
      );
      expect(ofThisRun.filter((key) => !(key in metrics))).toEqual(['train/numObservationsVisited']);
    }
  });

  it('counts', async () => {
    const { results } = await trainSome(configFor(noisyRewards(1)), 3);
    expect(results.map(({ iteration }) => iteration)).toEqual([1, 2, 3]);
    expect(results.map(({ numEnvSteps }) => numEnvSteps)).toEqual([200, 400, 600]);
    // 4 environments x 50 steps, episodes of 20
    expect(results.map(({ episodes }) => episodes.length)).toEqual([8, 12, 8]);
    expect(results.map(({ numEpisodes }) => numEpisodes)).toEqual([8, 20, 28]);
    const all = results.flatMap(({ episodes }) => episodes);
    const mean = all.reduce((sum, { episodeReturn }) => sum + episodeReturn, 0) / all.length;
    expect(results[2].episodeReturnMean).toBeCloseTo(mean, 10);
    expect(results[2].metrics['rollout/episodeLengthMean']).toBe(20);
  });
});

describe('non-finite numbers', () => {
  const huge = noisyRewards(1e30);

  it('stop the run, named', async () => {
    const algorithm = await open(configFor(huge));
    await expect(algorithm.train()).rejects.toMatchObject({ name: 'EngineError', code: 'ENGINE_NON_FINITE' });
  });

  it('are caught at their source where rewards leave the range of float32', async () => {
    const algorithm = await open(configFor(noisyRewards(1e39)));
    await expect(algorithm.train()).rejects.toMatchObject({
      code: 'ENV_REWARD_NON_FINITE',
      place: { envIndex: 0 },
    });
  });

  it.each(['simd', 'tensorflow'] as const)('or their gradient is clipped and counted: %s', async (engine) => {
    const clips = configFor(huge).faultTolerance({ nonFinite: 'clip' }).learners({ engine });
    const algorithm = await open(clips);
    const before = weightsOf(await algorithm.getState());
    const { metrics } = await algorithm.train();
    expect(metrics).toMatchObject({
      'train/numClippedUpdates': 16,
      'train/numSkippedUpdates': 0,
      'train/numUpdates': 16,
    });
    const after = weightsOf(await algorithm.getState());
    expect(after).not.toEqual(before);
    for (const [key, value] of Object.entries(metrics))
      expect([key, Number.isFinite(value)]).toEqual([key, true]);
  });

  it.each(['simd', 'tensorflow'] as const)('or replaced where they come from: %s', async (engine) => {
    const clips = configFor(noisyRewards(Number.POSITIVE_INFINITY))
      .faultTolerance({ nonFinite: 'clip' })
      .learners({ engine });
    const { metrics, envFaults } = await (await open(clips)).train();
    expect(metrics['rollout/numValuesClipped']).toBeGreaterThan(0);
    expect(metrics['train/numClippedUpdates']).toBe(0);
    expect(envFaults?.[0]).toMatchObject({
      outcome: 'clipped',
      error: { code: 'ENV_REWARD_NON_FINITE', place: { envIndex: 0 } },
    });
  });

  it('or are skipped and counted', async () => {
    const algorithm = await open(configFor(huge).faultTolerance({ nonFinite: 'skip' }));
    const before = weightsOf(await algorithm.getState());
    const { metrics } = await algorithm.train();
    expect(metrics['train/numSkippedUpdates']).toBe(16);
    expect(metrics['train/numUpdates']).toBe(0);
    expect(weightsOf(await algorithm.getState())).toEqual(before);
    for (const [key, value] of Object.entries(metrics))
      expect([key, Number.isFinite(value)]).toEqual([key, true]);
  });
});

it('learns something else where actions are masked', async () => {
  const env = fileURLToPath(new URL('../../rollout/fixtures/counting-env.ts', import.meta.url));
  const [masked, free] = await Promise.all(
    [true, false].map((masks) => trainSome(configFor().environment(env, { masks }), 2)),
  );
  expect(weightsOf(masked.content)).not.toEqual(weightsOf(free.content));
});
