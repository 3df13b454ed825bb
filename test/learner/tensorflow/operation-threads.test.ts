import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { limitOperationThreads } from '../../../src/learner/tensorflow/operation-threads.ts';
import { noNativeBinding } from './native.ts';

const VARIABLE = 'TF_NUM_INTRAOP_THREADS';
const backendModule = new URL('../../../src/learner/tensorflow/backend.ts', import.meta.url).href;

/** Threads of a fresh process after its first product on the native binding. */
function countThreads(env: Record<string, string>): number {
  const code = `
    import { readdirSync } from 'node:fs';
    const { loadTensorFlow } = await import(${JSON.stringify(backendModule)});
    const { tf } = await loadTensorFlow({ backend: 'node-gpu', deterministic: true });
    const x = tf.ones([512, 512]);
    tf.matMul(x, x).dataSync();
    process.stdout.write(String(readdirSync('/proc/self/task').length));
  `;
  const args = ['--import', 'tsx', '--input-type=module', '-e', code];
  const { stdout } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  return Number(stdout);
}

describe('limitOperationThreads', () => {
  const saved = process.env[VARIABLE];
  beforeEach(() => delete process.env[VARIABLE]);
  afterEach(() => {
    if (saved === undefined) delete process.env[VARIABLE];
    else process.env[VARIABLE] = saved;
  });

  it.each([
    [1, false, '1'],
    [2, false, '1'],
    [3, false, undefined],
    [64, false, undefined],
    [64, true, '1'],
  ])('on %i cores, deterministic %s: %s', (numCores, deterministic, expected) => {
    limitOperationThreads(deterministic, numCores);
    expect(process.env[VARIABLE]).toBe(expected);
  });

  it("leaves a user's setting alone", () => {
    process.env[VARIABLE] = '3';
    limitOperationThreads(true, 1);
    expect(process.env[VARIABLE]).toBe('3');
  });

  it.skipIf(noNativeBinding !== null || process.platform !== 'linux')(
    'is in time for TensorFlow to see it',
    () => {
      const limited = countThreads({});
      expect(limited).toBeGreaterThan(1);
      expect(countThreads({ [VARIABLE]: '9' }) - limited).toBeGreaterThan(4);
    },
    60_000,
  );
});
