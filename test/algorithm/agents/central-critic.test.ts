/** A critic that reads the environment's state, and values at the scale of the returns. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { createValueScale } from '../../../src/algorithm/agents/value-scale.ts';
import { Algorithm, type JsonObject, loadPolicy, PPOConfig } from '../../../src/index.ts';
import type { Learner } from '../../../src/learner/learner.ts';
import { createParameterLayout } from '../../../src/weights/parameter-layout.ts';
import { comparable } from '../../invariants/run-content.ts';

const HIDDEN = fileURLToPath(new URL('./fixtures/hidden-env.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'operant-critic-'));
afterAll(() => rmSync(folder, { recursive: true }));

function build(env: string, multiAgent: JsonObject, layers: JsonObject = {}) {
  return new PPOConfig({
    environment: { env },
    envRunners: { numEnvRunners: 0, numEnvs: 6, rolloutLength: 33, normalizeObservations: true },
    training: { hiddenSizes: [16], minibatchSize: 60, numEpochs: 4, gamma: 1, learningRate: 3e-3 },
    debugging: { seed: 3, deterministic: true },
    multiAgent,
    ...layers,
  } as never).build();
}

async function explained(multiAgent: JsonObject): Promise<number> {
  const algorithm = await build(HIDDEN, multiAgent);
  let told = 0;
  for (let k = 0; k < 30; k++) told = (await algorithm.train()).metrics['train/explainedVariance'];
  await algorithm.stop();
  return told;
}

test('only a critic that sees the state knows what nobody sees', async () => {
  expect(await explained({ critic: 'own' })).toBeLessThan(0.3);
  expect(await explained({ critic: 'central' })).toBeGreaterThan(0.7);
  expect(await explained({ critic: 'central', normalizeValues: true })).toBeGreaterThan(0.9);
});

describe.each<[string, string]>([
  ['in turns', 'KuhnPoker'],
  ['at once', HIDDEN],
])('with a central critic, %s,', (name, env) => {
  const options = { critic: 'central', normalizeValues: true };
  const run = async (layers: JsonObject, numIterations: number) => {
    const algorithm = await build(env, options, layers);
    for (let k = 0; k < numIterations; k++) await algorithm.train();
    const content = comparable(await algorithm.getState());
    await algorithm.stop();
    return content;
  };
  const inThreads = {
    envRunners: { numEnvs: 6, rolloutLength: 33, normalizeObservations: true, numEnvRunners: 2 },
  };

  test('the run is the same for any number of worker threads', async () => {
    expect(await run(inThreads, 3)).toEqual(await run({}, 3));
  });

  test('a run that is resumed goes on as if it had not stopped', async () => {
    const directory = join(folder, name.replaceAll(' ', '-'));
    const whole = await run({}, 4);
    const first = await build(env, options);
    for (let k = 0; k < 2; k++) await first.train();
    await first.save(directory);
    await first.stop();
    const resumed = await Algorithm.fromCheckpoint(directory, {}, { trust: true });
    for (let k = 0; k < 2; k++) await resumed.train();
    expect(comparable(await resumed.getState())).toEqual(whole);
    await resumed.stop();
    const policy = await loadPolicy(directory);
    expect([0, 1]).toContain(policy.actor().act(new Float32Array(env === HIDDEN ? 1 : 11)));
  });
});

test('what a central critic needs and there is not is refused', async () => {
  await expect(build('CartPoles', { critic: 'central' })).rejects.toThrow(
    /CartPoles-v0 has none: give it `stateSpace`/,
  );
  const training = { training: { sharedLayers: true } };
  await expect(build('KuhnPoker', { critic: 'central' }, training)).rejects.toThrow(
    /sharedLayers exclude each other/,
  );
  await expect(build('CartPole', { normalizeValues: true })).rejects.toThrow(/several agents/);
});

describe('values at the scale of returns', () => {
  /** A head of two inputs in the middle of other parameters. */
  const layout = createParameterLayout([
    { name: 'critic/0/kernel', shape: [1, 2] },
    { name: 'critic/head/kernel', shape: [2, 1] },
    { name: 'critic/head/bias', shape: [1] },
  ]);
  const learner = (parameters: Float32Array) =>
    ({
      layout,
      readParameters: () => parameters.slice(),
      writeParameters: (values: Float32Array) => parameters.set(values),
    }) as Pick<Learner, 'layout' | 'readParameters' | 'writeParameters'> as Learner;
  const at = (name: string) => layout.entries.find((entry) => entry.name === name)?.offset ?? -1;
  const output = (parameters: Float32Array) =>
    2 * parameters[at('critic/head/kernel')] -
    3 * parameters[at('critic/head/kernel') + 1] +
    parameters[at('critic/head/bias')];

  test('what the critic says of returns does not change when their scale does', () => {
    const parameters = Float32Array.from({ length: layout.size }, (_, k) => Math.sin(k + 1));
    const untouched = parameters[at('critic/0/kernel')];
    const scale = createValueScale('default');
    const said = () => {
      const copy = parameters.slice();
      scale.toReturns(copy, layout);
      return output(copy);
    };
    const before = said();
    expect(before).toBe(output(parameters));
    for (const returns of [
      [100, 300, 200, 0],
      [-7, 2, 5, 1],
    ]) {
      scale.absorb(Float32Array.from(returns), Int32Array.of(0, 1, 2), learner(parameters));
      expect(said()).toBeCloseTo(before, 3);
    }
    expect(parameters[at('critic/0/kernel')]).toBe(untouched);
  });

  test('the first returns have mean 0 and deviation 1; entries that are no samples stay', () => {
    const returns = Float32Array.of(1, 99, 3, 5);
    const samples = Int32Array.of(0, 2, 3);
    const scale = createValueScale('default');
    scale.absorb(returns, samples, learner(new Float32Array(layout.size)));
    scale.normalize(returns, samples);
    const deviation = Math.sqrt(8 / 3);
    expect([...returns]).toEqual([-2 / deviation, 99, 0, 2 / deviation].map(Math.fround));
  });
});
