import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadTensorFlow, probeTensorFlow } from '../../../src/learner/tensorflow/backend.ts';
import { findNativeBinding } from '../../../src/learner/tensorflow/native-binding.ts';

import { noNativeBinding } from './native.ts';

const backendModule = new URL('../../../src/learner/tensorflow/backend.ts', import.meta.url).href;

/** Runs code in a fresh process with an empty cache folder, so that no native binding of this machine is found. */
function runWithoutBinding(code: string) {
  const home = mkdtempSync(path.join(tmpdir(), 'operant-home-'));
  try {
    return spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], {
      encoding: 'utf8',
      env: { ...process.env, OPERANT_TENSORFLOW_HOME: home },
    });
  } finally {
    rmSync(home, { recursive: true });
  }
}

const stockBinding = (() => {
  const candidate = findNativeBinding(path.join(tmpdir(), 'operant-no-such-home'));
  return typeof candidate !== 'string';
})();

describe('loadTensorFlow', () => {
  it.skipIf(stockBinding)('falls back to wasm quietly and says why', () => {
    const { stdout, stderr } = runWithoutBinding(`
      const { loadTensorFlow } = await import(${JSON.stringify(backendModule)});
      const { tf, backend, gpu, reason } = await loadTensorFlow({ backend: 'auto' });
      const product = tf.matMul([[1, 2]], [[3], [4]]).dataSync()[0];
      process.stdout.write(JSON.stringify({ backend, gpu, reason, product, active: tf.getBackend() }));
    `);
    expect(stderr).toBe('');
    const { reason, ...rest } = JSON.parse(stdout);
    expect(rest).toEqual({ backend: 'wasm', gpu: false, product: 11, active: 'wasm' });
    expect(reason).toMatch(/WebAssembly.*node-gpu backend is missing.*operant install-tensorflow/);
  });

  it.skipIf(stockBinding)('says what to do when the native binding is asked for and missing', () => {
    const { stdout } = runWithoutBinding(`
      const { loadTensorFlow } = await import(${JSON.stringify(backendModule)});
      const error = await loadTensorFlow({ backend: 'node-gpu' }).catch((caught) => caught);
      process.stdout.write(JSON.stringify({ code: error.code, message: error.message }));
    `);
    const { code, message } = JSON.parse(stdout);
    expect(code).toBe('ENGINE_BACKEND_MISSING');
    expect(message).toContain('operant install-tensorflow');
    expect(message).not.toContain('\n');
  });

  it('loads cpu silently', () => {
    const { stdout, stderr } = runWithoutBinding(`
      const { loadTensorFlow } = await import(${JSON.stringify(backendModule)});
      const { tf } = await loadTensorFlow({ backend: 'cpu' });
      tf.add([1], [2]).dataSync();
    `);
    expect(stdout + stderr).toBe('');
  });

  it.skipIf(noNativeBinding !== null)('loads and runs native TensorFlow silently', () => {
    const code = `
      const { loadTensorFlow } = await import(${JSON.stringify(backendModule)});
      const { tf, backend } = await loadTensorFlow({ backend: 'auto' });
      process.stdout.write(backend + ' ' + tf.grad((x) => tf.sum(tf.square(x)))(tf.tensor1d([3])).dataSync()[0]);
    `;
    const args = ['--import', 'tsx', '--input-type=module', '-e', code];
    const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    // where TensorFlow takes oneDNN by itself it says so before it reads what level of log is wanted
    const expected =
      /^WARNING: All log messages before absl.*\n|^I0000.*oneDNN custom operations are on.*\n/gm;
    expect(stderr.replace(expected, '')).toBe('');
    expect(stdout).toBe('node-gpu 6');
  });

  it('has gradients on wasm that agree with the plain cpu backend, transposed products and tanh included', async () => {
    const gradientsOn = async (backend: 'wasm' | 'cpu') => {
      const { tf } = await loadTensorFlow({ backend });
      const results: number[][] = [];
      for (const [transposeA, transposeB] of [
        [false, false],
        [true, false],
        [false, true],
        [true, true],
      ]) {
        tf.tidy(() => {
          const a = tf.tensor2d([0.1, -0.5, 2, 1, 0.3, -1.2], transposeA ? [3, 2] : [2, 3]);
          const b = tf.tensor2d([0.4, 0.2, -0.7, 1.1, 0.9, -0.3], transposeB ? [2, 3] : [3, 2]);
          const gradients = tf.grads((x, y) =>
            tf.sum(tf.square(tf.tanh(tf.matMul(x as never, y as never, transposeA, transposeB)))),
          )([a, b]);
          results.push(...gradients.map((gradient) => [...gradient.dataSync()]));
        });
      }
      return results;
    };
    const wasm = await gradientsOn('wasm');
    const cpu = await gradientsOn('cpu');
    wasm.forEach((row, i) => {
      row.forEach((value, j) => {
        expect(value).toBeCloseTo(cpu[i][j], 5);
      });
    });
  });
});

describe('the gradient of a matrix product on wasm', () => {
  it('transposes first instead of asking for a slow transposed product', async () => {
    const { tf } = await loadTensorFlow({ backend: 'wasm' });
    const a = tf.ones([3, 4]);
    const { kernelNames } = await tf.profile(() =>
      tf.tidy(() => tf.grad((b) => tf.sum(tf.matMul(a as never, b as never)))(tf.ones([4, 2]))),
    );
    expect(kernelNames).toContain('Transpose');
    a.dispose();
  });
});

describe('probeTensorFlow', () => {
  it('reports what auto would take', async () => {
    const probe = await probeTensorFlow();
    expect(probe.wasm).toBe(true);
    expect(probe.automatic).toBe(probe.native.available ? 'node-gpu' : 'wasm');
    expect(probe.native.reason.length).toBeGreaterThan(10);
  });
});

it("leaves it to Node to tell of a program's own error", () => {
  const script = `const { loadTensorFlow } = await import('${backendModule}'); await loadTensorFlow({ backend: 'wasm' }); throw new Error('mine');`;
  const argv = ['--import', import.meta.resolve('tsx'), '--input-type=module', '-e', script];
  const { status, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8' });
  expect([status, stderr.length < 4000]).toEqual([1, true]);
  expect(stderr).toContain('Error: mine');
});
