import { afterEach, describe, expect, it } from 'vitest';
import { ppo } from '../../../algorithms/ppo/index.ts';
import { createCuriosity } from '../../../src/algorithm/curiosity/curiosity.ts';
import { fillSample } from '../../../src/algorithm/curiosity/fill.ts';
import type { CuriosityConfig } from '../../../src/algorithm/curiosity/learner.ts';
import { type Bonus, curiosityModel } from '../../../src/algorithm/curiosity/model.ts';
import { createActionCoder, everyStep, nextRow, nextRows } from '../../../src/algorithm/curiosity/samples.ts';
import { Box, Discrete, MultiDiscrete } from '../../../src/env/spaces.ts';
import { modelLayout } from '../../../src/policy/networks/model.ts';
import { openStream } from '../../../src/random/streams.ts';
import { loadKernels } from '../../../src/simd/loader.ts';
import { computeGae } from '../../../src/targets/gae.ts';
import { emptyRollout } from '../../reference/empty-rollout.ts';
import { forwardRow } from '../../reference/model-reference.ts';
import { bernoulli, categorical, gaussian, makeSpec } from '../../reference/policy-specs.ts';

const COLUMNS = { values: true, finalObservations: true };
const [N, T] = [2, 3];
const SIZE = 4;
const SPEC = makeSpec(categorical(2), { observationSize: SIZE });
const stopped: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of stopped.splice(0)) await each.stop();
});

async function open(bonus: Bonus, training: object = {}) {
  const config = ppo.resolve([
    {
      values: {
        environment: { env: 'CartPole-v1' },
        envRunners: { numEnvs: N, rolloutLength: T },
        training: { minibatchSize: 4, curiosity: bonus, curiosityHiddenSizes: [3], ...training },
      },
    },
  ]);
  const system = {
    spec: SPEC,
    observationSpace: bonus === 'count' ? new Discrete(SIZE) : new Box(-1, 1, [SIZE]),
    choice: { engine: 'simd', reason: 'asked for' } as const,
    memory: { kernels: await loadKernels() } as never,
    stop: async () => undefined,
  };
  const curiosity = await createCuriosity(system, config as CuriosityConfig, 4);
  if (curiosity === null) throw new Error('Expected curiosity.');
  stopped.push(curiosity);
  return curiosity;
}

/** Row 0 sees cells 0 1 2 and then 3; row 1 sees 1, ends at 0, begins anew at 2, and goes on to 2 and 1. */
function cells() {
  const rollout = emptyRollout(SPEC, N, T, COLUMNS);
  const see = (rows: Float32Array | Uint8Array, row: number, cell: number) => {
    rows[row * SIZE + cell] = 1;
  };
  [0, 1, 2, 1, 2, 2].forEach((cell, i) => {
    see(rollout.observations, i, cell);
  });
  see(rollout.bootstrapObservations, 0, 3);
  see(rollout.bootstrapObservations, 1, 1);
  rollout.finalSlots.fill(-1);
  rollout.finalSlots[3] = 3;
  rollout.terminated[3] = 1;
  see(rollout.finalObservations, 3, 0);
  return rollout;
}

describe('what a step led to', () => {
  it('is the next row, the true last observation at an end, the one behind the rollout after its last step', () => {
    const rollout = cells();
    const led = [0, 1, 2, 3, 4, 5].map((i) => {
      const rows = nextRows(rollout, i).subarray(
        nextRow(rollout, i) * SIZE,
        (nextRow(rollout, i) + 1) * SIZE,
      );
      return rows.indexOf(1);
    });
    expect(led).toEqual([1, 2, 3, 0, 2, 1]);
  });

  it('goes with an action of which choices are one-hot and numbers as they are', () => {
    const out = new Float32Array(10).fill(9);
    const code = createActionCoder({
      kind: 'product',
      heads: [categorical(3), gaussian(1), bernoulli(1), categorical(2)] as never,
    });
    code([9, 9, 9, 9, 2, -0.5, 0, 1], 1, out, 1);
    expect([...out]).toEqual([9, 0, 0, 1, 1, 0, 0, 1, -0.5, 9]);
  });
});

describe('counts', () => {
  it('give 1 / sqrt(visits) in the order of time, then environments, on and on over rollouts', async () => {
    const curiosity = await open('count', { curiosityGamma: 0.9, curiosityCoeff: 2 });
    const rollout = cells();
    rollout.advantages.fill(1);
    const rewards: number[][] = [];
    const judge = () =>
      curiosity.judge(rollout, (steps, gamma) => {
        rewards.push([...steps.rewards]);
        expect(gamma).toBe(0.9);
        steps.advantages.set([1, 2, 3, 4, 5, 6]);
      });
    await judge();
    // led to, by time: 1 0 | 2 2 | 3 1
    const root = Math.fround(1 / Math.sqrt(2));
    expect(rewards[0]).toEqual([1, 1, 1, 1, root, root]);
    expect([...rollout.advantages]).toEqual([3, 5, 7, 9, 11, 13]);
    await judge();
    const of = (visits: number) => Math.fround(1 / Math.sqrt(visits));
    expect(rewards[1]).toEqual([of(3), of(3), of(2), of(2), of(4), of(4)]);
    const plan = { numEpochs: 1, permutations: Int32Array.of(0, 1, 2, 3, 4, 5), learningRate: 1e-3 };
    const metrics = await curiosity.learn(rollout, plan);
    expect(metrics['train/numObservationsVisited']).toBe(4);
    expect(metrics['train/intrinsicRewardMean']).toBeCloseTo(rewards[1].reduce((a, b) => a + b) / 6, 6);
  });

  it('need discrete observations', async () => {
    const { isCountable } = await import('../../../src/algorithm/curiosity/visit-counts.ts');
    expect([new Discrete(3), new MultiDiscrete([2, 2]), new Box(0, 1, [2])].map(isCountable)).toEqual([
      true,
      true,
      false,
    ]);
  });
});

describe('random network distillation', () => {
  it('is the error of the predictor on whitened observations, over the deviation of its discounted sum; nothing ends', async () => {
    const curiosity = await open('rnd', { curiosityFeatures: 5, curiosityGamma: 0.5 });
    const rollout = emptyRollout(SPEC, N, T, COLUMNS);
    const stream = openStream(1, 'observations');
    for (const rows of [rollout.observations, rollout.bootstrapObservations])
      for (let k = 0; k < rows.length; k++) rows[k] = 3 + 2 * stream.normal();
    rollout.finalSlots.fill(-1);
    rollout.terminated[1] = 1; // no true last observation given: the bonus looks at nothing but what follows
    const { tensors } = (await curiosity.state.getState(new Set())) as unknown as Record<string, never>;
    const shape = {
      bonus: 'rnd' as const,
      ...{ observation: { size: SIZE, dtype: 'float32' as const, shape: [SIZE], isNormalized: true } },
      trunk: { kind: 'mlp' as const, hiddenSizes: [3], activation: 'leaky-relu' as const, layerNorm: false },
      ...{ numFeatures: 5, actions: { sizes: [2], numNumbers: 0 }, maxGradNorm: null },
      adam: { adamBeta1: 0.9, adamBeta2: 0.999, adamEpsilon: 1e-8 },
    };
    const model = curiosityModel(shape);
    const layout = modelLayout(model);
    const parameters = new Float64Array(layout.size);
    const saved = tensors['curiosity/model.safetensors'] as Record<string, { data: Float32Array }>;
    for (const { name, offset } of layout.entries) parameters.set(saved[name].data, offset);
    const rows = Array.from({ length: N * T }, (_, i) => [
      ...rollout.observations.slice(SIZE * i, SIZE * (i + 1)),
    ]);
    const column = (k: number) => rows.map((row) => row[k]);
    const mean = [0, 1, 2, 3].map((k) => column(k).reduce((a, b) => a + b) / rows.length);
    const std = mean.map((m, k) =>
      Math.sqrt(column(k).reduce((s, x) => s + (x - m) ** 2, 0) / rows.length + 1e-8),
    );
    const whiten = (x: number[]) => x.map((v, k) => Math.max(-5, Math.min(5, (v - mean[k]) / std[k])));
    const following = (i: number) =>
      i % T < T - 1
        ? rows[i + 1]
        : [...rollout.bootstrapObservations.slice(SIZE * Math.floor(i / T), SIZE * (Math.floor(i / T) + 1))];
    const errors = rows.map((_, i) => {
      const x = whiten(following(i));
      const [p, t] = ['predictor', 'target'].map((name) => forwardRow(model, parameters, name, [x]));
      return p.reduce((sum, value, k) => sum + (value - t[k]) ** 2, 0) / 5;
    });
    const values = rows.map((row) => forwardRow(model, parameters, 'value', [whiten(row)])[0]);
    const sums = [0, 1].flatMap((n) => {
      let sum = 0;
      return [0, 1, 2].map((t) => {
        sum = 0.5 * sum + errors[n * T + t];
        return sum;
      });
    });
    const average = sums.reduce((a, b) => a + b) / 6;
    const deviation = Math.sqrt(sums.reduce((s, x) => s + (x - average) ** 2, 0) / 6 + 1e-8);
    await curiosity.judge(rollout, (steps, gamma) => {
      for (let i = 0; i < 6; i++) {
        expect(steps.rewards[i]).toBeCloseTo(errors[i] / deviation, 4);
        expect(steps.values[i]).toBeCloseTo(values[i], 4);
      }
      const bootstrap = forwardRow(model, parameters, 'value', [whiten(following(2))])[0];
      expect(steps.bootstrapValues[0]).toBeCloseTo(bootstrap, 4);
      computeGae(steps, { gamma, gaeLambda: 1, rewardScale: 1, clipReward: Number.POSITIVE_INFINITY });
      // over the end in step 1, and on to the value behind the rollout
      const [a, b, c] = steps.rewards;
      expect(steps.returns[0]).toBeCloseTo(a + 0.5 * (b + 0.5 * (c + 0.5 * bootstrap)), 4);
    });
  });
});

describe('a batch to learn from', () => {
  it('is filled up with rows of weight 0, and what a mean over it weighs is the samples', () => {
    const numbers = (size: number) => new Float32Array(5 * size);
    const columns = {
      ...{ observations: numbers(SIZE), nextObservations: numbers(SIZE), returns: numbers(1) },
      ...{ valueWeights: numbers(1), bonusWeights: numbers(1) },
    };
    const rollout = cells();
    const sample = { observationSize: SIZE, codeAction: createActionCoder(SPEC.distribution) };
    const steps = { returns: Float32Array.of(10, 11, 12, 13, 14, 15) } as never;
    const stream = openStream(1, 'share');
    const draws = openStream(1, 'share');
    fillSample(
      everyStep(rollout),
      steps,
      sample,
      { indices: Int32Array.of(4, 3), share: 1, stream },
      columns,
    );
    expect([...columns.returns]).toEqual([14, 13, 13, 13, 13]);
    expect([...columns.valueWeights]).toEqual([2.5, 2.5, 0, 0, 0]);
    expect([...columns.bonusWeights]).toEqual([2.5, 2.5, 0, 0, 0]);
    expect([0, 1].map((r) => columns.nextObservations.subarray(SIZE * r, SIZE * (r + 1)).indexOf(1))).toEqual(
      [2, 0],
    );
    const indices = Int32Array.of(0, 1, 2, 3);
    fillSample(everyStep(rollout), steps, sample, { indices, share: 0.5, stream }, columns);
    const chosen = [0, 1, 2, 3].map(() => draws.uniform() < 0.5);
    const count = chosen.filter(Boolean).length;
    expect(count).toBeGreaterThan(0);
    expect([...columns.bonusWeights]).toEqual(
      [...chosen, false].map((is) => (is ? Math.fround(5 / count) : 0)),
    );
  });
});

describe('a rollout that is learnt from once more', () => {
  it.each(['count', 'rnd'] as const)('keeps the bonuses that its steps had, by %s', async (bonus) => {
    const curiosity = await open(bonus);
    const seen: { bonuses: number[]; values: number[] }[] = [];
    const note = ({ rewards, values, advantages }: Parameters<Parameters<typeof curiosity.judge>[1]>[0]) => {
      seen.push({ bonuses: [...rewards], values: [...values] });
      advantages.fill(2);
    };
    const [first, other] = [cells(), cells()];
    await curiosity.judge(first, note);
    await curiosity.judge(other, note); // the same cells, not as new as they were
    const permutations = Int32Array.from({ length: N * T }, (_, i) => i);
    await curiosity.learn(other, { numEpochs: 1, permutations, learningRate: 0.1 });
    first.advantages.fill(1);
    await curiosity.judgeAgain(first, note);
    expect(seen[2].bonuses).toEqual(seen[0].bonuses);
    expect(seen[1].bonuses).not.toEqual(seen[0].bonuses);
    expect(seen[2].values).not.toEqual(seen[0].values); // by the newest value
    expect([...first.advantages]).toEqual(new Array(N * T).fill(1 + 0.5 * 2)); // curiosityCoeff 0.5
  });
});
