/** The four traps that this code base has to step around; the packed-install test shows the compiled side of 1 and 3. */
import { readdirSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import type { RolloutViews } from '../../src/experience/layout.ts';
import { gatherMinibatch } from '../../src/learner/tensorflow/minibatch.ts';
import type { PolicySpec } from '../../src/policy/policy-spec.ts';
import type { TensorFlow } from '../../src/policy/tensor-types.ts';
import { loaderArgv, threadEntryUrl } from '../../src/threads/exec-argv.ts';
import vitestConfig from '../../vitest.config.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const readJson = (path: string) => JSON.parse(readFileSync(`${root}/${path}`, 'utf8'));

describe('1: a URL of a TypeScript file is not rewritten by the compiler', () => {
  const sources = ['src', 'algorithms', 'envs']
    .flatMap((folder) =>
      readdirSync(`${root}/${folder}`, { recursive: true, encoding: 'utf8' }).map(
        (path) => `${root}/${folder}/${path}`,
      ),
    )
    .filter((path) => path.endsWith('.ts'))
    .filter((path) => !path.includes('/src/simd/assembly/'));

  // a bare new URL('./worker.ts', import.meta.url) points at nothing in dist
  const bare = /new URL\(\s*(['"`])(?:(?!\1).)*\.ts\1\s*,\s*import\.meta\.url/;

  test('the pattern sees the mistake', () => {
    expect("new URL('./worker.ts', import.meta.url)").toMatch(bare);
    expect("new URL(IS_SOURCE ? './worker.ts' : './worker.js', import.meta.url)").not.toMatch(bare);
  });

  test('no published source has one', () => {
    expect(sources.length).toBeGreaterThan(30);
    expect(
      sources
        // what a template writes is a page's, whose bundler rewrites it
        .filter((path) => !path.endsWith('-template.ts'))
        .filter((path) =>
          bare.test(readFileSync(path, 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*|Write new URL\(.*/g, '')),
        )
        .map((path) => relative(root, path)),
    ).toEqual([]);
  });

  test('from source the worker entry is the TypeScript file', () => {
    expect(threadEntryUrl('./worker', 'file:///src/rollout/pool.ts')).toBe('file:///src/rollout/worker.ts');
  });
});

describe('2: under vitest a worker thread does not know TypeScript by itself', () => {
  // as the thread pool does it: a JavaScript entry that imports the module it is told
  const load = (execArgv: string[]) =>
    new Promise<string>((resolve, reject) => {
      const workerData = new URL('./typed-worker.ts', import.meta.url).href;
      const worker = new Worker(new URL('./worker-entry.mjs', import.meta.url), { workerData, execArgv });
      worker.once('message', resolve);
      worker.once('error', reject);
    });

  test('with our arguments the entry loads, imports of .ts files included', async () => {
    expect(await load(loaderArgv())).toBe('OperantError SHAPE_X');
  });

  test.runIf(process.versions.node.startsWith('20.'))('without them it does not', async () => {
    await expect(load([])).rejects.toThrow('Unknown file extension ".ts"');
  });
});

describe('3: tests in the emit set would be published, and run twice', () => {
  test('the build compiles the published folders alone', () => {
    expect(readJson('tsconfig.build.json').include.toSorted()).toEqual([
      'algorithms',
      'browser',
      'envs',
      'src',
    ]);
    expect(readJson('package.json').files.filter((path: string) => /^(test|bench)\/?$/.test(path))).toEqual(
      [],
    );
  });

  test('vitest looks in test/ alone', () => {
    const projects = vitestConfig.test?.projects ?? [];
    expect(projects.length).toBeGreaterThan(0);
    for (const project of projects) {
      const { include = [] } = (project as typeof vitestConfig).test ?? {};
      expect(include.length).toBeGreaterThan(0);
      for (const pattern of include) expect(pattern).toMatch(/^test\//);
    }
  });
});

describe('4: tfjs keeps the typed array that it is given', () => {
  test('so a tensor over shared memory would change with it', async () => {
    await tf.setBackend('cpu');
    const memory = new Float32Array(new SharedArrayBuffer(8));
    const tensor = tf.tensor1d(memory as Float32Array, 'float32');
    memory[0] = 7;
    expect(Array.from(tensor.dataSync())).toEqual([7, 0]);
    tensor.dispose();
  });

  test('and a gathered minibatch does not', async () => {
    await tf.setBackend('cpu');
    const rollout = smallRollout();
    const batch = gatherMinibatch(tf as unknown as TensorFlow, SPEC, rollout, Int32Array.of(1, 0));
    const read = () =>
      Object.fromEntries(
        Object.entries(batch).map(([name, tensor]) => [
          name,
          tensor === null ? null : Array.from(tensor.dataSync()),
        ]),
      );
    const before = read();
    expect(before.observations).toEqual([12, 13, 10, 11]);
    for (const column of Object.values(rollout))
      if (ArrayBuffer.isView(column)) (column as Float32Array).fill(99);
    expect(read()).toEqual(before);
  });
});

const SPEC = {
  observationSize: 2,
  actionMaskSize: 0,
  distribution: { kind: 'categorical', sizes: [2] },
} as unknown as PolicySpec;

function smallRollout(): RolloutViews {
  const shared = (...values: number[]) => {
    const view = new Float32Array(new SharedArrayBuffer(values.length * 4));
    view.set(values);
    return view;
  };
  return {
    observations: shared(10, 11, 12, 13),
    actions: Int32Array.of(0, 1),
    actionMasks: new Uint8Array(0),
    logProbs: shared(-1, -2),
    values: shared(3, 4),
    advantages: shared(5, 6),
    returns: shared(7, 8),
  } as unknown as RolloutViews;
}
