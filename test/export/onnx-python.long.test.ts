/** ONNX exports under ONNX's own checker and Python's onnxruntime. .ci/run makes the environment; without it this says so. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { writeExport } from '../../src/export/export-policy.ts';
import { openExportSource } from '../../src/export/policy-source.ts';
import { createSelfTest } from '../../src/export/self-test.ts';
import { ACTIVATION_NAMES } from '../reference/policy-specs.ts';
import { SHIPPED_POLICIES, shippedCheckpoint } from '../reference/shipped-policies.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { activationSource, CELLS, cellSource, convSource } from './fixtures/random-sources.ts';

const python = process.env.OPERANT_ONNX_PYTHON ?? '';
if (python === '')
  console.log('No OPERANT_ONNX_PYTHON: the ONNX checker and onnxruntime for Python are not asked.');

/** Of an output's scale, as in agreement.long.test.ts. */
const TOLERANCE = 1e-6;
const NUM_ROWS = 10_000;

test.skipIf(python === '')(
  'every kind of policy passes the checker, and says the same there',
  { timeout: 300_000 },
  async () => {
    const folder = temporaryFolder();
    const sources = [
      ...SHIPPED_POLICIES.map(async (name) => openExportSource(await shippedCheckpoint(name))),
      ...ACTIVATION_NAMES.map(activationSource),
      ...[convSource(), ...CELLS.map((cell) => cellSource(...cell))],
    ];
    const files: string[] = [];
    for (const made of sources) {
      const source = await made;
      const rows = createSelfTest(source, source.observationSpace, NUM_ROWS); // the file carries them
      files.push(...(await writeExport(source, rows, 'onnx', join(folder, `${files.length}.onnx`))));
    }
    const script = fileURLToPath(new URL('./fixtures/check_onnx.py', import.meta.url));
    const { stdout, stderr, status } = spawnSync(python, [script, ...files], { encoding: 'utf8' });
    expect(status, stderr).toBe(0);
    const differences = JSON.parse(stdout) as number[];
    expect(differences).toHaveLength(files.length);
    console.log(
      `onnxruntime in Python: at most ${Math.max(...differences).toExponential(1)} of an output's scale`,
    );
    for (const difference of differences) expect(difference).toBeLessThanOrEqual(TOLERANCE);
  },
);
