import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { SimdLearnerOptions } from '../../../src/learner/simd/layout.ts';
import { createSimdLearner } from '../../../src/learner/simd/learner.ts';
import type { ThreadTeam } from '../../../src/learner/simd/thread-team.ts';
import type { PolicySpec } from '../../../src/policy/policy-spec.ts';
import { type KernelModule, loadKernels } from '../../../src/simd/loader.ts';
import { loaderArgv } from '../../../src/threads/exec-argv.ts';
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

/** The next message; or the end of the thread, which is no error here. */
async function messageFrom(worker: Worker): Promise<void> {
  const stop = new AbortController();
  const events = ['message', 'exit'].map((name) => once(worker, name, { signal: stop.signal }));
  for (const event of events) event.catch(() => undefined);
  await Promise.race(events);
  stop.abort();
}

/** Real threads, driven by messages as rollout workers are by control words; `lend` gives the first few of them. */
async function startThreads(
  { spec, arena, layout }: Fixture,
  options: SimdLearnerOptions,
  numThreads: number,
  diesIn: string | null,
) {
  const alive = new Array<boolean>(numThreads).fill(true);
  const workers = Array.from({ length: numThreads }, (_, k) => {
    const workerData = {
      start: { spec, options, layout },
      kernels: diesIn === null ? kernels : { ...kernels, native: null },
      memory: arena.memory,
      threadIndex: k + 1,
      diesIn,
    };
    const worker = new Worker(WORKER, { workerData, execArgv: loaderArgv() });
    worker.once('exit', () => {
      alive[k] = false;
    });
    return worker;
  });
  open.push(...workers);
  await Promise.all(workers.map(messageFrom));
  const lend = (numHelpers: number): ThreadTeam => {
    let left: Promise<void>[] = [];
    return {
      numHelpers,
      start() {
        const helpers = workers.slice(0, numHelpers).filter((_, k) => alive[k]);
        left = helpers.map(messageFrom);
        for (const worker of helpers) worker.postMessage('learn');
      },
      async finish() {
        await Promise.all(left);
      },
      isAlive: (threadIndex) => alive[threadIndex - 1],
    };
  };
  return { lend, alive };
}

interface RunOptions {
  minibatchSize: number;
  stallTimeoutMs?: number;
}

async function setUp(
  spec: PolicySpec,
  numThreads: number,
  helpers: 'work' | 'die' | 'hang' = 'work',
  diesIn: string | null = null,
) {
  const base = learnerOptions();
  const outputGradient = {
    ...base.outputGradient,
    module: UNRELIABLE,
    options: { ...base.outputGradient.options, helpers },
  };
  const options = learnerOptions({ outputGradient });
  const fixture = makeFixture(spec, 4, 150, options, 1 + numThreads);
  const { lend, alive } = await startThreads(fixture, options, numThreads, diesIn);
  /** Two updates from the same parameters and moments. */
  const run = async (numHelpers: number, { minibatchSize, stallTimeoutMs = 60_000 }: RunOptions) => {
    const team = lend(numHelpers);
    const learner = await createSimdLearner({ ...fixture, kernels, options, team, stallTimeoutMs });
    const zeros = new Float32Array(fixture.parameters.length);
    learner.writeParameters(fixture.parameters);
    learner.writeOptimizerState({ step: 0, m: zeros, v: zeros });
    const plan = makePlan(fixture, { numEpochs: 4, minibatchSize });
    const first = await learner.update(fixture.rollout, plan);
    const second = await learner.update(fixture.rollout, plan);
    return { first, second, parameters: learner.readParameters(), state: learner.readOptimizerState() };
  };
  return { run, alive };
}

describe('learning with helper threads', () => {
  it.each([
    ['two towers', makeSpec(categorical(3, 2), { hiddenSizes: [40, 33], normalize: true })],
    ['a shared trunk', makeSpec(gsde(2), { hiddenSizes: [40, 33], shared: true })],
  ])('gives the same bits for 1, 2, 3 and 8 threads: %s', async (_, spec) => {
    const { run } = await setUp(spec, 7);
    for (const minibatchSize of [64, 250]) {
      const alone = await run(0, { minibatchSize });
      expect(alone.first.numMinibatches).toBe(minibatchSize === 64 ? 40 : 12);
      for (const numHelpers of [1, 2, 7]) expect(await run(numHelpers, { minibatchSize })).toEqual(alone);
    }
  });

  it('finishes an update, with the same result, when helpers die in the middle of their items', async () => {
    const { run, alive } = await setUp(makeSpec(categorical(4)), 3, 'die');
    const alone = await run(0, { minibatchSize: 200 });
    for (let n = 0; n < 50 && !alive.includes(false); n++) {
      expect(await run(3, { minibatchSize: 200 })).toEqual(alone);
    }
    expect(alive).toContain(false);
  });

  // what these kernels do they do in place: to compute such an item again would add its gradient, or its step, twice
  it.each(['reduceSlice', 'adamSlice'])('begins an update again when helpers die in %s', async (kernel) => {
    const { run, alive } = await setUp(makeSpec(categorical(4)), 2, 'work', kernel);
    const alone = await run(0, { minibatchSize: 200 });
    // a busy machine may let the first thread do all of a phase before a helper takes a slice: until one has taken it
    for (let n = 0; n < 50 && !alive.includes(false); n++) {
      expect(await run(2, { minibatchSize: 200 })).toEqual(alone);
    }
    expect(alive).toContain(false);
  });

  it('gives up with an error on a helper that lives but does not move', async () => {
    const { run } = await setUp(makeSpec(categorical(4)), 2, 'hang');
    const attempt = () =>
      run(2, { minibatchSize: 200, stallTimeoutMs: 300 }).catch((error: unknown) => error);
    // as above: until a helper has taken an item that it can hang in
    let outcome: unknown = null;
    for (let n = 0; n < 50 && !(outcome instanceof Error); n++) outcome = await attempt();
    expect(outcome).toMatchObject({ code: 'WORKER_LEARN_STALLED' });
  });
});
