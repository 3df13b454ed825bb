/** Exports against the framework's own policy: every kind that shipped algorithms make, in the runtimes that the files are for. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type ExportFormat, writeExport } from '../../src/export/export-policy.ts';
import { type ExportSource, openExportSource } from '../../src/export/policy-source.ts';
import { createSelfTest } from '../../src/export/self-test.ts';
import { verifyExport } from '../../src/export/verify/verify-export.ts';
import { createPolicy } from '../../src/exports/policy.ts';
import { exportPolicy, loadPolicy } from '../../src/index.ts';
import { ACTIVATION_NAMES } from '../reference/policy-specs.ts';
import { SHIPPED_POLICIES, shippedCheckpoint } from '../reference/shipped-policies.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { activationSource, convSource } from './fixtures/random-sources.ts';

const hasCompiler = spawnSync('cc', ['--version']).status === 0;
if (!hasCompiler) console.log('No C compiler (cc): C exports are written, and not compiled.');

/** Random observations a policy and format; agreement.long.test.ts takes ten thousand. */
const NUM_ROWS = 300;
/** The same of networks that no shipped algorithm makes by itself. */
const NUM_OTHER_ROWS = 20;
const FORMATS: readonly (readonly [ExportFormat, string, number])[] = [
  ['onnx', 'policy.onnx', NUM_ROWS],
  ['tfjs', 'model.json', NUM_ROWS],
  ['js', 'policy.mjs', NUM_ROWS],
  ['safetensors', 'model.json', 16],
  ['c', 'policy.h', 200], // its compiler reads every number
];
const TOLERANCE = 1e-6;

/** A unit of tanh is half the range of the action: 2 for Pendulum's. */
function toleranceOf({ spec }: ExportSource): number {
  return 'high' in spec.distribution ? TOLERANCE * Math.max(1, ...spec.distribution.high) : TOLERANCE;
}

async function expectAgreement(source: ExportSource): Promise<void> {
  for (const [to, name, numRows] of FORMATS) {
    if (to === 'c' && !hasCompiler) continue;
    const rows = source.spec.observationSize > 100 ? Math.min(numRows, 20) : numRows;
    const selfTest = createSelfTest(source, source.observationSpace, rows);
    const files = await writeExport(source, selfTest, to, join(temporaryFolder(), name));
    const verification = await verifyExport(to, files, selfTest);
    expect(verification.largestDifference, to).toBeLessThanOrEqual(toleranceOf(source));
    expect(verification.numRows).toBe(rows);
  }
}

test.each(SHIPPED_POLICIES)('%s', async (name) => {
  await expectAgreement(await openExportSource(await shippedCheckpoint(name)));
});

const others = FORMATS.filter(([to]) => to !== 'safetensors');
async function expectOthersAgree(source: ExportSource): Promise<void> {
  for (const [to, name] of others) {
    if (to === 'c' && !hasCompiler) continue;
    const selfTest = createSelfTest(source, source.observationSpace, NUM_OTHER_ROWS);
    const files = await writeExport(source, selfTest, to, join(temporaryFolder(), name));
    const { largestDifference } = await verifyExport(to, files, selfTest);
    expect(largestDifference, to).toBeLessThanOrEqual(TOLERANCE);
  }
}

test.each(ACTIVATION_NAMES)(
  'activation %s, with layer normalisation, a Discrete that starts at 5',
  async (activation) => {
    const source = activationSource(activation);
    expect(
      createSelfTest(source, source.observationSpace).outputs.action?.every((x) => x >= 5 && x <= 7),
    ).toBe(true);
    await expectOthersAgree(source);
  },
);

test('convolutions over images', () => expectOthersAgree(convSource()));

describe('exportPolicy', () => {
  test('writes what operant/policy loads from memory', async () => {
    const checkpoint = await shippedCheckpoint('ppo, Gaussian, statistics');
    const out = join(temporaryFolder(), 'deep/model.json');
    const { files, outputs } = await exportPolicy({ checkpoint, to: 'safetensors', out });
    expect(outputs).toEqual(['action', 'mean', 'std', 'value']);
    const [model, weights] = files.map((file) => readFileSync(file));
    const policy = createPolicy({ model: model.toString(), weights });
    const expected = (await loadPolicy(checkpoint)).actor().act([0.5, 0.5, 1]) as Float32Array;
    expect((policy.act([0.5, 0.5, 1]) as Float32Array)[0]).toBeCloseTo(expected[0], 5);
    expect(() => createPolicy({ model: '{}', weights })).toThrow(
      expect.objectContaining({ code: 'CHECKPOINT_POLICY' }),
    );
    expect(() => createPolicy({ model: model.toString(), weights: weights.subarray(0, 99) })).toThrow(
      expect.objectContaining({ code: 'CHECKPOINT_TENSORS' }),
    );
  });

  test('finds an export that is wrong', async () => {
    const source = await openExportSource(await shippedCheckpoint('ppo, categorical'));
    const selfTest = createSelfTest(source, source.observationSpace);
    for (const [to, name] of [
      ['js', 'policy.mjs'],
      ['onnx', 'policy.onnx'],
      ['tfjs', 'model.json'],
    ] as const) {
      const changed = { ...source, parameters: source.parameters.map((x, i) => (i === 3 ? x + 0.01 : x)) };
      const files = await writeExport(changed, selfTest, to, join(temporaryFolder(), name));
      expect((await verifyExport(to, files, selfTest)).largestDifference, to).toBeGreaterThan(1e-5);
    }
  });

  test('a JavaScript module says what it does not take, and one action is a number', async () => {
    const checkpoint = await shippedCheckpoint('dqn, masks, branches, statistics');
    const out = join(temporaryFolder(), 'policy.mjs');
    await exportPolicy({ checkpoint, to: 'js', out, verify: true });
    const module = await import(out);
    expect(() => module.run([1])).toThrow(/a flat array of 5 numbers, got 1/);
    expect([...module.act([1, 0, 0, 100, 0], [0, 0, 1, 0, 1])]).toEqual([2, 1]);
  });

  test.each([
    [{ to: 'onx' as ExportFormat, out: 'x' }, 'CONFIG_EXPORT'],
    [{ to: 'tfjs' as const, out: 'model' }, 'CONFIG_EXPORT'],
    [{ to: 'c' as const, out: 'x.h', checkpoint: '/nowhere' }, 'CHECKPOINT_NOT_FOUND'],
  ])('refuses %j', async (options, code) => {
    const checkpoint = await shippedCheckpoint('ppo, categorical');
    await expect(exportPolicy({ checkpoint, ...options })).rejects.toThrow(expect.objectContaining({ code }));
  });

  test('names a runtime that is missing, with the file written', async () => {
    const checkpoint = await shippedCheckpoint('ppo, categorical');
    const out = join(temporaryFolder(), 'policy.h');
    const { CC } = process.env;
    process.env.CC = 'no-such-compiler';
    try {
      const exported = exportPolicy({ checkpoint, to: 'c', out, verify: true });
      await expect(exported).rejects.toThrow(expect.objectContaining({ code: 'ENGINE_EXPORT_RUNTIME' }));
    } finally {
      if (CC === undefined) delete process.env.CC;
      else process.env.CC = CC;
    }
    expect(readFileSync(out, 'utf8')).toContain('policy_run');
    writeFileSync(out, '');
  });
});
