/** ONNX exports under ONNX's own checker and Python's onnxruntime. .ci/run makes the environment; without it this says so. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { exportPolicy } from '../../src/index.ts';
import { SHIPPED_POLICIES, shippedCheckpoint } from '../reference/shipped-policies.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const python = process.env.OPERANT_ONNX_PYTHON ?? '';
if (python === '')
  console.log('No OPERANT_ONNX_PYTHON: the ONNX checker and onnxruntime for Python are not asked.');

test.skipIf(python === '')('every kind of policy passes the checker, and says the same there', async () => {
  const folder = temporaryFolder();
  const files: string[] = [];
  for (const name of SHIPPED_POLICIES) {
    const out = join(folder, `${files.length}.onnx`);
    await exportPolicy({ checkpoint: await shippedCheckpoint(name), to: 'onnx', out });
    files.push(out);
  }
  const script = fileURLToPath(new URL('./fixtures/check_onnx.py', import.meta.url));
  const { stdout, stderr, status } = spawnSync(python, [script, ...files], { encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  const differences = JSON.parse(stdout) as number[];
  expect(differences).toHaveLength(files.length);
  for (const difference of differences) expect(difference).toBeLessThanOrEqual(2e-6);
});
