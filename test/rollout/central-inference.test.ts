/** The learner's engine acts, the runners only step: through the builder, since it takes an engine. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { PPOConfig } from '../../src/index.ts';
import type { JsonObject } from '../../src/json.ts';
import { episodeSeed } from '../../src/random/streams.ts';
import { comparable } from '../invariants/run-content.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const fixture = (name: string) => fileURLToPath(new URL(`./fixtures/${name}.ts`, import.meta.url));

interface Setup {
  readonly env: string;
  readonly envOptions?: JsonObject;
  readonly numEnvRunners: number;
  readonly inference?: 'central' | 'worker';
  readonly training?: object;
}

function build({ env, envOptions = {}, numEnvRunners, inference = 'central', training = {} }: Setup) {
  return new PPOConfig()
    .environment(env, envOptions)
    .envRunners({ numEnvRunners, numEnvs: 5, rolloutLength: 16, inference, normalizeObservations: true })
    .training({ numEpochs: 2, minibatchSize: 40, hiddenSizes: [16], ...training })
    .learners({ engine: 'tensorflow', backend: 'wasm' })
    .debugging({ poison: true })
    .build();
}

async function run(setup: Setup, count = 3) {
  const algorithm = await build(setup);
  try {
    const results = [];
    for (let k = 0; k < count; k++) results.push(await algorithm.train());
    return { content: comparable(await algorithm.getState()), results };
  } finally {
    await algorithm.stop();
  }
}

describe('central inference', () => {
  it.each<[string, Omit<Setup, 'numEnvRunners'>]>([
    ['masks', { env: fixture('counting-env'), envOptions: { masks: true } }],
    ['continuous actions', { env: fixture('continuous-env') }],
    ['gSDE', { env: fixture('continuous-env'), training: { useGsde: true, gsdeSampleFrequency: 5 } }],
  ])('is the same run in process and in threads: %s', async (_, setup) => {
    const inProcess = await run({ ...setup, numEnvRunners: 0 });
    const inThreads = await run({ ...setup, numEnvRunners: 2 });
    expect(inThreads.content).toEqual(inProcess.content);
  });

  it('takes the same actions as the runners would', async () => {
    // Same noise and weights; only rounding differs, which moves no discrete action in so few steps.
    const setup = { env: fixture('counting-env'), numEnvRunners: 0 };
    const central = await run(setup, 1);
    const worker = await run({ ...setup, inference: 'worker' }, 1);
    expect(central.results[0].episodes).toEqual(worker.results[0].episodes);
    expect(central.results[0].metrics['train/entropy']).toBeCloseTo(
      worker.results[0].metrics['train/entropy'],
      4,
    );
  });

  it('goes on after an environment failed in an evaluation, and tells of it with the next rollout', async () => {
    const evaluate = async (envOptions: JsonObject) => {
      const algorithm = await build({ env: fixture('troubled-env'), envOptions, numEnvRunners: 0 });
      try {
        const { returns } = await algorithm.evaluate({ numEpisodes: 3, seed: 11 });
        const { envFaults, metrics } = await algorithm.train();
        return { returns, envFaults, numRestarted: metrics['rollout/numEnvsRestarted'] };
      } finally {
        await algorithm.stop();
      }
    };
    const undisturbed = await evaluate({});
    const trouble = { trouble: 'throw', atStep: 2, atSeed: episodeSeed(11, 1, 0, 'evaluation') };
    const disturbed = await evaluate({ ...trouble, marker: join(temporaryFolder(), 'marker') });
    expect(disturbed.returns).toEqual(undisturbed.returns);
    expect(disturbed.envFaults).toMatchObject([{ outcome: 'repeated', error: { place: { envIndex: 1 } } }]);
    expect([undisturbed.numRestarted, disturbed.numRestarted]).toEqual([0, 1]);
  });

  it('goes on after a worker died, or an environment failed, in the middle of a rollout', async () => {
    const expected = await run({ env: fixture('troubled-env'), numEnvRunners: 0 });
    for (const trouble of ['exit', 'throw']) {
      const envOptions = { trouble, atStep: 13, marker: join(temporaryFolder(), 'marker') };
      const disturbed = await run({ env: fixture('troubled-env'), envOptions, numEnvRunners: 2 });
      expect(disturbed.content).toEqual(expected.content);
      const failures = disturbed.results.flatMap(({ workerFailures = [] }) => workerFailures);
      const faults = disturbed.results.flatMap(({ envFaults = [] }) => envFaults);
      expect(failures).toMatchObject(trouble === 'exit' ? [{ isRecovered: true }] : []);
      expect(faults).toMatchObject(trouble === 'throw' ? [{ outcome: 'repeated' }] : []);
    }
  });

  it('resumes in mid-episode', async () => {
    const setup = { env: fixture('continuous-env'), numEnvRunners: 0, training: { useGsde: true } };
    const expected = await run(setup, 4);
    const first = await build(setup);
    for (let k = 0; k < 2; k++) await first.train();
    const state = await first.getState();
    await first.stop();
    const second = await build({ ...setup, numEnvRunners: 2 });
    await second.setState(state);
    for (let k = 0; k < 2; k++) await second.train();
    expect(comparable(await second.getState())).toEqual(expected.content);
    await second.stop();
  });
});
