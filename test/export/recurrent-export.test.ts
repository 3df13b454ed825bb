/** Recurrent policies as files: what they remember goes in and comes out, and a step is the framework's own, in every format. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { type ExportFormat, exportPolicy, writeExport } from '../../src/export/export-policy.ts';
import { createSelfTest } from '../../src/export/self-test.ts';
import { verifyExport } from '../../src/export/verify/verify-export.ts';
import { loadPolicy, PPOConfig } from '../../src/index.ts';
import { openRowForward } from '../../src/policy/networks/row-forward.ts';
import { openStream } from '../../src/random/streams.ts';
import { normalizedRows } from '../reference/policy-specs.ts';
import { outputsReference, stepReference } from '../reference/recurrent-reference.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { CELLS, cellSource } from './fixtures/random-sources.ts';

const hasCompiler = spawnSync('cc', ['--version']).status === 0;
if (!hasCompiler) console.log('No C compiler (cc): C exports are written, and not compiled.');

const FORMATS: readonly (readonly [ExportFormat, string])[] = [
  ['onnx', 'policy.onnx'],
  ['tfjs', 'model.json'],
  ['js', 'policy.mjs'],
  ['c', 'policy.h'],
];

/** Random observations and states a cell and format; agreement.long.test.ts takes ten thousand. */
const NUM_ROWS = 40;

describe.each(CELLS)('%s, shared %s, %o', (cell, shared, places) => {
  const source = cellSource(cell, shared, places);

  test('the plain forward pass is the slow reference, step by step', () => {
    const { spec, parameters, statistics } = source;
    const { run, state } = openRowForward(spec, parameters, statistics);
    const stream = openStream(4, 'steps');
    let expected = [...state];
    for (let t = 0; t < 12; t++) {
      if (t === 7) {
        state.fill(0);
        expected = expected.map(() => 0);
      }
      const observation = Float32Array.from({ length: spec.observationSize }, () => stream.normal());
      const { mean, inverseStd } = statistics as { mean: Float32Array; inverseStd: Float32Array };
      const [x] = normalizedRows(spec as never, observation, 1, mean, inverseStd);
      expected = stepReference(spec, parameters, x, expected);
      const { outputs, values } = outputsReference(spec, parameters, [expected]);
      const row = run(observation);
      for (const [k, value] of outputs[0].entries()) expect(row.outputs[k]).toBeCloseTo(value, 6);
      expect(row.value).toBeCloseTo(values[0], 10);
      for (const [k, value] of expected.entries()) expect(state[k]).toBeCloseTo(value, 10);
    }
  });

  test.each(FORMATS)('as %s', async (to, name) => {
    if (to === 'c' && !hasCompiler) return;
    const selfTest = createSelfTest(source, source.observationSpace, NUM_ROWS);
    expect(selfTest.states?.length).toBe(selfTest.outputs.nextState?.length);
    expect(new Set(selfTest.outputs.nextState).size).toBeGreaterThan(200);
    const files = await writeExport(source, selfTest, to, join(temporaryFolder(), name));
    const { largestDifference } = await verifyExport(to, files, selfTest);
    expect(largestDifference).toBeLessThanOrEqual(1e-6);
    const wrong = { ...selfTest, outputs: { ...selfTest.outputs, nextState: selfTest.states ?? [] } };
    if (to === 'onnx' || to === 'tfjs')
      expect((await verifyExport(to, files, wrong)).largestDifference).toBeGreaterThan(0.1);
  });
});

test("a JavaScript export plays the framework's episode, forgets it on reset, and safetensors read back", async () => {
  const algorithm = await new PPOConfig()
    .environment('CartPoleNoVelocity-v0')
    .envRunners({ numEnvRunners: 0, numEnvs: 4, rolloutLength: 32, normalizeObservations: true })
    .training({ recurrent: 'lstm', recurrentSize: 8, sequenceLength: 16, hiddenSizes: [8], policyGain: 3 })
    .build();
  await algorithm.train();
  const checkpoint = await algorithm.save(join(temporaryFolder(), 'saved'));
  await algorithm.stop();
  const out = join(temporaryFolder(), 'policy.mjs');
  const { outputs } = await exportPolicy({ checkpoint, to: 'js', out, verify: true });
  expect(outputs).toContain('nextState');
  await exportPolicy({ checkpoint, to: 'safetensors', out: join(temporaryFolder(), 'm.json'), verify: true });
  interface Actor {
    act(observation: number[]): number;
    reset(): void;
  }
  const { createActor } = (await import(pathToFileURL(out).href)) as { createActor(): Actor };
  const exported = createActor();
  const own = (await loadPolicy(checkpoint)).actor();
  const observations = Array.from({ length: 60 }, (_, t) => [Math.sin(t), Math.cos(t) / 5]);
  const play = (actor: { act(observation: number[]): unknown }) =>
    observations.map((o) => actor.act(o)).join('');
  const episode = play(own);
  expect(play(exported)).toBe(episode);
  expect(new Set(episode).size).toBe(2);
  exported.reset();
  expect(play(exported)).toBe(episode);
});
