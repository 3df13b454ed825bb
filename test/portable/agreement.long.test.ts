/** `operant/policy` against the kernels on ten thousand random observations a kind of policy, and what both draw. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { flattenObservation } from '../../src/env/flatten-space.ts';
import { sampleSpace } from '../../src/env/space-values.ts';
import { openExportSource } from '../../src/export/policy-source.ts';
import { loadPolicy as loadPortable } from '../../src/exports/policy.ts';
import { loadPolicy as loadRecurrent } from '../../src/exports/recurrent-policy.ts';
import { Box, loadPolicy, PPOConfig } from '../../src/index.ts';
import { openStream } from '../../src/random/streams.ts';
import { actOnKernels } from '../reference/kernel-rows.ts';
import { SHIPPED_POLICIES, shippedCheckpoint } from '../reference/shipped-policies.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const NUM_ROWS = 10_000;
const STEPS_AN_EPISODE = 200;
/** Of the scale: the largest of all rows, at least 1. */
const TOLERANCE = 1e-6;

const largest = { value: 0, action: 0, probability: 0 };
const worst: string[] = [];
afterAll(() =>
  console.log(
    `operant/policy beside the kernels, of the scale:\n${worst.join('\n')}\nat most ${JSON.stringify(largest)}`,
  ),
);

const numbersOf = (action: unknown) =>
  typeof action === 'number' ? [action] : Array.from(action as ArrayLike<number>);

describe.each(SHIPPED_POLICIES)('%s', (kind) => {
  test('actions, values and the probability of what is most likely', { timeout: 300_000 }, async () => {
    const path = await shippedCheckpoint(kind);
    const read = (file: string) => readFile(join(path, file)).catch(() => null);
    const [portable, source] = [await loadPortable({ read }), await openExportSource(path)];
    const { observationSpace, spec } = portable;
    const stream = openStream(6, 'agreement', kind);
    const observations = Array.from({ length: NUM_ROWS }, () => sampleSpace(observationSpace, stream));
    const flat = new Float32Array(NUM_ROWS * spec.observationSize); // [numRows, obsSize]
    for (const [row, observation] of observations.entries())
      flattenObservation(observationSpace, observation, flat, row * spec.observationSize);
    const mask = kind.includes('masks') ? [1, 0, 1, 1, 0] : [];
    const options = mask.length > 0 ? { actionMask: mask } : {};
    const masks = mask.length > 0 ? Array.from({ length: NUM_ROWS }, () => mask).flat() : null;
    const rows = { numRows: NUM_ROWS, observations: Array.from(flat), masks };
    const { actions, logProbs, values } = await actOnKernels(source, rows, null);
    const [gaps, scales] = [{ ...largest }, { value: 1, action: 1, probability: 1 }];
    const compare = (of: keyof typeof gaps, ours: number, theirs: number): void => {
      gaps[of] = Math.max(gaps[of], Math.abs(ours - theirs));
      scales[of] = Math.max(scales[of], Math.abs(theirs));
      expect(Number.isFinite(ours - theirs)).toBe(true);
    };
    for (const k of Object.keys(gaps) as (keyof typeof gaps)[]) gaps[k] = 0;
    for (const [row, observation] of observations.entries()) {
      const ours = numbersOf(portable.act(observation, options));
      const theirs = actions.subarray(row * ours.length, (row + 1) * ours.length);
      if (source.actionSpace instanceof Box) ours.forEach((x, a) => void compare('action', x, theirs[a]));
      else expect(ours, `row ${row}`).toEqual([...theirs]);
      if (values !== null) compare('value', portable.value(observation, options) ?? Number.NaN, values[row]);
      const { kind: of } = portable.distribution(observation, options);
      if (logProbs === null || (of !== 'categorical' && of !== 'bernoulli')) continue;
      const likely = portable
        .probabilities(observation, options)
        .flatMap((p) => (of === 'bernoulli' ? p.map((x) => Math.max(x, 1 - x)) : [Math.max(...p)]));
      compare(
        'probability',
        likely.reduce((a, b) => a * b),
        Math.exp(logProbs[row]),
      );
    }
    for (const of of Object.keys(gaps) as (keyof typeof gaps)[]) {
      const ofScale = gaps[of] / scales[of];
      if (gaps[of] > 0)
        worst.push(`${kind}: ${of} ${gaps[of].toExponential(1)}, ${ofScale.toExponential(1)}`);
      largest[of] = Math.max(largest[of], ofScale);
    }
    for (const of of Object.keys(gaps) as (keyof typeof gaps)[])
      expect(gaps[of] / scales[of], of).toBeLessThanOrEqual(TOLERANCE);
  });

  test('the same actions are drawn from the same seed', { timeout: 300_000 }, async () => {
    const path = await shippedCheckpoint(kind);
    const read = (file: string) => readFile(join(path, file)).catch(() => null);
    const [portable, kernels] = [await loadPortable({ read }), await loadPolicy(path)];
    const [ours, theirs] = [portable.actor(9), kernels.actor()];
    theirs.reset(9);
    const stream = openStream(7, 'agreement', kind);
    const options = { deterministic: false, ...(kind.includes('masks') && { actionMask: [1, 0, 1, 1, 0] }) };
    let [largestGap, scale] = [0, 1];
    for (let t = 0; t < NUM_ROWS; t++) {
      const observation = sampleSpace(portable.observationSpace, stream);
      const [a, b] = [ours, theirs].map((actor) => numbersOf(actor.act(observation, options)));
      // What is drawn before it is squashed is as large as its deviation, with gSDE 12 here.
      const said = portable.distribution(observation, options);
      if (said.kind === 'gaussian') scale = Math.max(scale, ...said.std);
      a.forEach((x, k) => {
        largestGap = Math.max(largestGap, Math.abs(x - b[k]));
        scale = Math.max(scale, Math.abs(b[k]));
      });
    }
    worst.push(`${kind}: drawn ${largestGap.toExponential(1)}`);
    expect(largestGap / scale).toBeLessThanOrEqual(TOLERANCE);
  });
});

describe.each([
  ['lstm', 'CartPoleNoVelocity-v0'],
  ['gru', 'PendulumNoVelocity-v0'],
] as const)('recurrent: %s', (recurrent, env) => {
  test.each([true, false])(
    'plays what the kernels play, deterministic: %s',
    { timeout: 300_000 },
    async (deterministic) => {
      const algorithm = await new PPOConfig()
        .environment(env)
        .envRunners({ numEnvRunners: 0, numEnvs: 4, rolloutLength: 32, normalizeObservations: true })
        .training({ recurrent, recurrentSize: 16, sequenceLength: 16, hiddenSizes: [16], policyGain: 1 })
        .build();
      await algorithm.train();
      const path = await algorithm.save(join(temporaryFolder(), 'saved'));
      await algorithm.stop();
      const read = (file: string) => readFile(join(path, file)).catch(() => null);
      const [portable, kernels] = [await loadRecurrent({ read }), await loadPolicy(path)];
      const [ours, theirs] = [portable.actor(), kernels.actor()];
      const stream = openStream(8, 'agreement', recurrent);
      let [gap, scale] = [0, 1];
      const seen = new Set<number>();
      for (let t = 0; t < NUM_ROWS; t++) {
        if (t % STEPS_AN_EPISODE === 0) for (const actor of [ours, theirs]) actor.reset(t);
        const observation = Array.from({ length: portable.spec.observationSize }, () => stream.normal());
        const [a, b] = [ours, theirs].map((actor) => numbersOf(actor.act(observation, { deterministic })));
        for (const [k, x] of a.entries()) {
          gap = Math.max(gap, Math.abs(x - b[k]));
          scale = Math.max(scale, Math.abs(b[k]));
          seen.add(x);
        }
      }
      worst.push(`${recurrent}, deterministic ${deterministic}: ${gap.toExponential(1)}`);
      expect(seen.size).toBeGreaterThan(1);
      expect(gap / scale).toBeLessThanOrEqual(TOLERANCE);
    },
  );
});
