import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { loadPolicy } from '../../src/algorithm/load-policy.ts';
import { resolveEnv } from '../../src/env/env-source.ts';
import { makeEnv } from '../../src/env/load-env.ts';
import { PPOConfig } from '../../src/index.ts';
import type { JsonObject } from '../../src/json.ts';
import { episodeSeed } from '../../src/random/streams.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const WALK = fileURLToPath(new URL('../rollout/fixtures/troubled-env.ts', import.meta.url));
const COUNTING = fileURLToPath(new URL('../rollout/fixtures/counting-env.ts', import.meta.url));

interface Setup {
  readonly env?: string;
  readonly envOptions?: JsonObject;
  readonly numEnvRunners?: number;
  readonly evaluationNumEnvs?: number;
  readonly evaluationInterval?: number | null;
  readonly engine?: 'simd' | 'tensorflow';
}

function configFor({
  env = WALK,
  envOptions = {},
  numEnvRunners = 0,
  evaluationNumEnvs = 10,
  evaluationInterval = null,
  engine = 'simd',
}: Setup) {
  return new PPOConfig()
    .environment(env, envOptions)
    .envRunners({ numEnvRunners, numEnvs: 4, rolloutLength: 32, normalizeObservations: true })
    .training({ numEpochs: 3, minibatchSize: 32, hiddenSizes: [16, 16], learningRate: 3e-3, policyGain: 1 })
    .learners(engine === 'simd' ? { engine } : { engine, backend: 'wasm' })
    .evaluation({ evaluationNumEnvs, evaluationInterval, evaluationEpisodes: 3 })
    .debugging({ seed: 5, poison: true });
}

async function open(setup: Setup = {}) {
  const algorithm = await configFor(setup).build();
  onTestFinished(() => algorithm.stop());
  return algorithm;
}

describe('evaluate', () => {
  it.each([true, false])(
    'gives every episode by its number alone: deterministic %s',
    async (deterministic) => {
      let expected: readonly number[] | undefined;
      for (const setup of [
        { evaluationNumEnvs: 10 },
        { evaluationNumEnvs: 1 },
        { evaluationNumEnvs: 3, numEnvRunners: 1 },
        { evaluationNumEnvs: 100, numEnvRunners: 3 },
      ]) {
        const algorithm = await open(setup);
        await algorithm.train();
        const { returns, lengths } = await algorithm.evaluate({ numEpisodes: 11, deterministic, seed: 3 });
        expected ??= returns;
        expect(returns).toEqual(expected);
        expect(lengths.every((length) => length >= 1 && length <= 15)).toBe(true);
        const first = await algorithm.evaluate({ numEpisodes: 4, deterministic, seed: 3 });
        expect(first.returns).toEqual(expected.slice(0, 4));
        const other = await algorithm.evaluate({ numEpisodes: 11, deterministic, seed: 4 });
        expect(other.returns).not.toEqual(expected);
      }
    },
  );

  it('tells mean, population deviation, lengths and the means of info.metrics of these episodes alone', async () => {
    for (const evaluationNumEnvs of [1, 4, 7]) {
      const algorithm = await open({ env: COUNTING, evaluationNumEnvs });
      const result = await algorithm.evaluate({ numEpisodes: 7, seed: 9 });
      const lengths = Array.from({ length: 7 }, (_, k) => 2 + (episodeSeed(9, k, 0, 'evaluation') % 5));
      expect(result.lengths).toEqual(lengths);
      const { returns } = result;
      const mean = returns.reduce((a, b) => a + b) / 7;
      expect(result.returnMean).toBeCloseTo(mean, 12);
      expect(result.returnStd).toBeCloseTo(
        Math.sqrt(returns.reduce((s, r) => s + (r - mean) ** 2, 0) / 7),
        12,
      );
      expect(result.lengthMean).toBeCloseTo(lengths.reduce((a, b) => a + b) / 7, 12);
      // `twice` is 2 * step at every step: the mean over the steps of exactly these seven episodes.
      const twice = lengths.flatMap((length) => Array.from({ length }, (_, k) => 2 * (k + 1)));
      expect(result.metrics['env/twice']).toBeCloseTo(twice.reduce((a, b) => a + b) / twice.length, 12);
    }
  });

  it('takes its defaults from the config', async () => {
    const algorithm = await open();
    const result = await algorithm.evaluate();
    expect(result.returns).toHaveLength(3);
    const same = await algorithm.evaluate({ numEpisodes: 3, deterministic: true, seed: 10_000 });
    expect(result).toEqual(same);
  });

  it.each([0, 2])('never disturbs training: %i runners', async (numEnvRunners) => {
    const plain = await open({ numEnvRunners });
    const evaluated = await open({ numEnvRunners, evaluationInterval: 1 });
    for (let k = 0; k < 3; k++) {
      await plain.train();
      const { metrics, evaluation } = await evaluated.train();
      expect(evaluation?.returns).toHaveLength(3);
      expect(metrics['evaluation/episodeReturnMean']).toBe(evaluation?.returnMean);
      expect(metrics['evaluation/numEpisodes']).toBe(3);
      await evaluated.evaluate({ numEpisodes: 2, deterministic: false });
    }
    const [a, b] = [await plain.getState(), await evaluated.getState()];
    expect(b.tensors).toEqual(a.tensors);
    expect(b.json['state.json']).toEqual(a.json['state.json']);
  });

  it('runs at its interval', async () => {
    const algorithm = await open({ evaluationInterval: 2 });
    const evaluated = [];
    for (let k = 0; k < 4; k++) evaluated.push((await algorithm.train()).evaluation !== undefined);
    expect(evaluated).toEqual([false, true, false, true]);
  });

  it('agrees between the engines, up to rounding that changes no action', async () => {
    const simd = await open({ env: 'CartPole-v1' });
    const tensorflow = await open({ env: 'CartPole-v1', engine: 'tensorflow' });
    await tensorflow.setState(await simd.getState());
    const options = { numEpisodes: 5, seed: 1 };
    expect((await tensorflow.evaluate(options)).returns).toEqual((await simd.evaluate(options)).returns);
  });
});

describe('a policy that was saved and loaded', () => {
  it.each<[string, JsonObject]>([
    [WALK, {}],
    ['CartPole-v1', {}],
    ['Pendulum-v1', {}],
  ])('takes the actions that evaluation takes: %s', async (env, envOptions) => {
    const algorithm = await open({ env, envOptions });
    for (let k = 0; k < 2; k++) await algorithm.train();
    const path = await algorithm.save(join(temporaryFolder(), 'checkpoint'));
    const { returns, lengths } = await algorithm.evaluate({ numEpisodes: 3, seed: 8 });
    const actor = (await loadPolicy(path)).actor();
    for (let k = 0; k < 3; k++) {
      const single = await makeEnv(resolveEnv(env, envOptions));
      let { observation } = single.reset({ seed: episodeSeed(8, k, 0, 'evaluation') });
      actor.reset();
      let total = 0;
      for (let t = 1; t <= lengths[k]; t++) {
        const result = single.step(actor.act(observation));
        observation = result.observation;
        total += result.reward;
        // Limits that the vector environment sets are not the single one's.
        expect(result.terminated && t < lengths[k]).toBe(false);
      }
      expect(total).toBeCloseTo(returns[k], 3);
    }
  });

  it('samples reproducibly, and like the policy says', async () => {
    const algorithm = await open({ env: WALK });
    const actor = (await loadPolicy(await algorithm.save(join(temporaryFolder(), 'checkpoint')))).actor();
    const draw = (seed: number) => {
      actor.reset(seed);
      return Array.from({ length: 200 }, () =>
        actor.act(Float32Array.of(0.1, 0.2, 0), { deterministic: false }),
      );
    };
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
    const best = actor.act(Float32Array.of(0.1, 0.2, 0));
    const share = draw(3).filter((action) => action === best).length / 200;
    expect(share).toBeGreaterThan(0.4);
    expect(share).toBeLessThan(1);
  });

  it('refuses what is no observation, and a mask that is missing', async () => {
    const algorithm = await open({ env: COUNTING, envOptions: { masks: true } });
    const policy = await loadPolicy(await algorithm.save(join(temporaryFolder(), 'checkpoint')));
    const actor = policy.actor();
    expect(() => actor.act([1, 2])).toThrow(
      expect.objectContaining({ name: 'ShapeError', code: 'SHAPE_OBSERVATION' }),
    );
    expect(() => actor.act([1, 2, 3])).toThrow(
      expect.objectContaining({ name: 'ShapeError', code: 'SHAPE_ACTION_MASK' }),
    );
    expect(() => actor.act([1, 2, 3], { actionMask: [1, 1] })).toThrow(/length 3, .* got length 2/);
    for (const allowed of [0, 1, 2]) {
      const actionMask = [0, 1, 2].map((k) => (k === allowed ? 1 : 0));
      expect(actor.act([1, 2, 3], { actionMask })).toBe(allowed);
      expect(actor.act([1, 2, 3], { actionMask, deterministic: false })).toBe(allowed);
    }
  });
});
