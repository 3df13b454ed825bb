import { Worker } from 'node:worker_threads';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { SimdLearnerOptions } from '../../../src/learner/simd/layout.ts';
import { createSimdLearner } from '../../../src/learner/simd/learner.ts';
import type { ThreadTeam } from '../../../src/learner/simd/thread-team.ts';
import type { PolicySpec } from '../../../src/policy/policy-spec.ts';
import { workerExecArgv } from '../../../src/rollout/worker-url.ts';
import { type KernelModule, loadKernels } from '../../../src/simd/loader.ts';
import { categorical, gsde, makeSpec } from '../../reference/policy-specs.ts';
import { type Fixture, learnerOptions, makeFixture, makePlan } from '../../reference/rollout-fixture.ts';

let kernels: KernelModule;
beforeAll(async () => {
  kernels = await loadKernels();
}, 120_000);

const WORKER = new URL('./fixtures/helper-worker.ts', import.meta.url);
const UNRELIABLE = new URL('./fixtures/unreliable-gradient.ts', import.meta.url).href;
const open: Worker[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((worker) => worker.terminate()));
});

const messageFrom = (worker: Worker) =>
  new Promise<void>((resolve, reject) => {
    worker.once('message', () => resolve());
    worker.once('error', reject);
    worker.once('exit', () => resolve());
  });

/** Real threads, driven by messages as rollout workers are by control words. */
async function makeTeam({ spec, arena, layout }: Fixture, options: SimdLearnerOptions, numHelpers: number) {
  const alive = new Array<boolean>(numHelpers).fill(true);
  const workers = Array.from({ length: numHelpers }, (_, k) => {
    const workerData = {
      start: { spec, options, layout },
      kernels,
      memory: arena.memory,
      threadIndex: k + 1,
    };
    const worker = new Worker(WORKER, { workerData, execArgv: workerExecArgv() });
    worker.once('exit', () => {
      alive[k] = false;
    });
    return worker;
  });
  open.push(...workers);
  await Promise.all(workers.map(messageFrom));
  let left: Promise<void>[] = [];
  const team: ThreadTeam = {
    numHelpers,
    start() {
      left = workers.filter((_, k) => alive[k]).map(messageFrom);
      for (const worker of workers) worker.postMessage('learn');
    },
    async finish() {
      await Promise.all(left);
    },
    isAlive: (threadIndex) => alive[threadIndex - 1],
  };
  return { team, alive };
}

interface RunOptions {
  numHelpers: number;
  minibatchSize: number;
  helpers?: 'die' | 'hang';
  stallTimeoutMs?: number;
}

async function run(
  spec: PolicySpec,
  { numHelpers, minibatchSize, helpers, stallTimeoutMs = 60_000 }: RunOptions,
) {
  const base = learnerOptions();
  const outputGradient = {
    ...base.outputGradient,
    module: UNRELIABLE,
    options: { ...base.outputGradient.options, helpers: helpers ?? 'work' },
  };
  const options = learnerOptions({ outputGradient });
  const fixture = makeFixture(spec, 4, 150, options, 1 + numHelpers);
  const { team, alive } = await makeTeam(fixture, options, numHelpers);
  const learner = await createSimdLearner({ ...fixture, kernels, options, team, stallTimeoutMs });
  learner.writeParameters(fixture.parameters);
  const plan = makePlan(fixture, { numEpochs: 4, minibatchSize });
  const first = await learner.update(fixture.rollout, plan);
  const second = await learner.update(fixture.rollout, plan);
  const result = { first, second, parameters: learner.readParameters(), state: learner.readOptimizerState() };
  return { result, alive };
}

describe('learning with helper threads', () => {
  it.each([
    ['two towers', makeSpec(categorical(3, 2), { hiddenSizes: [40, 33], normalize: true })],
    ['a shared trunk', makeSpec(gsde(2), { hiddenSizes: [40, 33], shared: true })],
  ])('gives the same bits for 1, 2, 3 and 8 threads: %s', async (_, spec) => {
    for (const minibatchSize of [64, 250]) {
      const { result: alone } = await run(spec, { numHelpers: 0, minibatchSize });
      for (const numHelpers of [1, 2, 7]) {
        const { result } = await run(spec, { numHelpers, minibatchSize });
        expect(result).toEqual(alone);
      }
    }
  });

  it('finishes an update, with the same result, when helpers die in the middle of their items', async () => {
    const spec = makeSpec(categorical(4));
    const { result: alone } = await run(spec, { numHelpers: 0, minibatchSize: 200 });
    const { result, alive } = await run(spec, { numHelpers: 3, minibatchSize: 200, helpers: 'die' });
    expect(alive).toContain(false);
    expect(result).toEqual(alone);
  });

  it('gives up with an error on a helper that lives but does not move', async () => {
    const spec = makeSpec(categorical(4));
    const options = { numHelpers: 2, minibatchSize: 200, helpers: 'hang', stallTimeoutMs: 300 } as const;
    await expect(run(spec, options)).rejects.toMatchObject({ code: 'WORKER_LEARN_STALLED' });
  });
});
