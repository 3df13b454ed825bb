/** Studies whose trials run on a real Ray cluster: the study is a local one's, whoever is lost in between. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { logUniform, resumeStudy, Tuner, type TunerOptions } from '../../src/index.ts';
import { bridgePids, findRay, kill, type RayCluster, startRayCluster } from '../cluster/ray-cluster.ts';
import { journalOf } from './journal-told.ts';

const isRayHere = findRay() !== null;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'operant-on-ray-'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

const STUDY = {
  algorithm: 'ppo',
  tuned: false,
  config: {
    environment: { env: 'CartPole' },
    envRunners: { numEnvs: 4, rolloutLength: 32 },
    training: { minibatchSize: 64, numEpochs: 2 },
    checkpointing: { checkpointEvery: 2 },
  },
  space: { learningRate: logUniform(1e-4, 1e-2) },
  numTrials: 4,
  trialSteps: 1024,
  finalSeeds: 1,
} as const;

async function study(name: string, more: Partial<TunerOptions>) {
  const out = join(folder, name);
  const result = await new Tuner({ ...STUDY, ...more, out }).fit();
  return { ...result, told: journalOf(out), report: readFileSync(join(out, 'report.md'), 'utf8') };
}

describe.skipIf(!isRayHere)('on a real Ray cluster', { timeout: 300_000 }, () => {
  let cluster: RayCluster;
  beforeAll(async () => {
    cluster = await startRayCluster();
  }, 240_000);
  afterAll(() => cluster?.stop(), 60_000);

  /** Who is killed here is heard of without a deadline; one that a loaded machine misses would take the retry of a trial that has one. */
  const ray = (more: object = {}) => ({
    ray: { rayAddress: cluster.address, hostDeadlineSeconds: 60, ...more },
  });

  test.each([
    ['asha', { scheduler: 'asha', gracePeriod: 256, reductionFactor: 2 }],
    ['pbt', { scheduler: 'pbt', perturbationInterval: 512, quantile: 0.5 }],
  ] as const)(
    '%s: the journal and the report of a local study, and nobody is left behind',
    async (_, options) => {
      const local = await study('local', options);
      const there = await study('there', { ...options, ...ray(), parallel: 3 });
      expect(there.told).toEqual(local.told);
      expect(there.report).toEqual(local.report);
      await vi.waitFor(() => expect([...cluster.pids('trial'), ...bridgePids()]).toEqual([]), {
        timeout: 30_000,
        interval: 200,
      });
    },
  );

  describe('of an environment of a project', () => {
    const home = process.cwd();
    let project: string;
    let local: Awaited<ReturnType<typeof study>>;
    const slow = {
      config: {
        ...STUDY.config,
        environment: { env: './walk.mjs' },
        checkpointing: { checkpointEvery: 1 },
      },
      ...{ numTrials: 1, trialSteps: 2048, finalSeeds: 0, parallel: 1 },
    };
    beforeAll(async () => {
      project = mkdtempSync(join(tmpdir(), 'operant-project-'));
      writeFileSync(join(project, 'package.json'), '{"name":"mine","type":"module"}');
      writeFileSync(join(project, 'walk.mjs'), WALK);
      process.chdir(project);
      folder = project;
      local = await study('local', slow);
    }, 240_000);
    afterAll(() => {
      process.chdir(home);
      rmSync(project, { recursive: true, force: true });
    });

    const run = () => join(folder, 'there', 'trials', '0000', 'seed-0');
    /** Kills somebody once a checkpoint of the trial has come back. @returns the log as it was then. */
    const disturb = async (whom: () => number) => {
      while (!existsSync(join(run(), 'latest'))) await pause(20);
      const log = readFileSync(join(run(), 'progress.jsonl'), 'utf8');
      kill(whom());
      return log;
    };

    test.each([
      ['its process', () => cluster.pids('trial')[0]],
      ['its actor', () => cluster.pids('actor')[0]],
      ['the bridge', () => bridgePids()[0]],
    ])('a trial that loses %s goes on from the checkpoint that came back, for one retry', async (_, whom) => {
      const going = study('there', { ...slow, ...ray(), maxRetries: 1 });
      const before = await disturb(whom);
      const there = await going;
      expect(there.told).toEqual(local.told);
      const log = readFileSync(join(run(), 'progress.jsonl'), 'utf8').trimEnd().split('\n');
      expect(log[0]).toBe(before.split('\n')[0]); // with the times of the first attempt
      expect(log).toHaveLength(slow.trialSteps / 128);
    });

    test('without a retry the trial fails, and says why', async () => {
      const going = study('there', { ...slow, ...ray(), maxRetries: 0 });
      await disturb(() => cluster.pids('trial')[0]);
      const { trials } = await going;
      const reason = expect.stringMatching(/its host was lost: .*signal 9/);
      expect(trials[0]).toMatchObject({ state: 'failed', reason });
    });

    test('the head is gone: the study ends with a clear error, and goes on here', async () => {
      const own = await startRayCluster({ numNodes: 1 });
      try {
        const going = study('there', { ...slow, ray: { rayAddress: own.address, hostDeadlineSeconds: 4 } });
        const ended = going.catch((error: unknown) => error);
        while (!existsSync(join(run(), 'latest'))) await pause(20);
        for (const pid of own.pids('trial')) kill(pid, 'SIGSTOP'); // a cluster takes seconds to end: the trial must not be through before
        await own.stop();
        const message = expect.stringContaining('resume the study');
        expect(await ended).toMatchObject({ code: 'CLUSTER_LOST', message });
      } finally {
        await own.stop();
      }
      await resumeStudy(join(folder, 'there'), {}, { trust: true });
      expect(journalOf(join(folder, 'there'))).toEqual(local.told);
    });
  });

  test('what no node has is refused before anything runs', async () => {
    await expect(study('there', ray({ trialResources: { CPU: 1, GPU: 3 } }))).rejects.toMatchObject({
      code: 'CLUSTER_RESOURCES',
      message: expect.stringMatching(/"GPU":3.*--trial-resources/s),
    });
    expect(readdirSync(folder)).toEqual([]);
  });
});

/** An episode of ten steps, each of which takes its time: a trial lasts some seconds on any machine. */
const WALK = `const clock = new Int32Array(new SharedArrayBuffer(4));
export default () => {
  let x = 0;
  return {
    observationSpace: { kind: 'box', shape: [1], dtype: 'float32', low: Float32Array.of(0), high: Float32Array.of(10), size: 1 },
    actionSpace: { kind: 'discrete', n: 2, start: 0 },
    reset: () => { x = 0; return { observation: [0] }; },
    step: (action) => {
      Atomics.wait(clock, 0, 0, 2);
      x += 1;
      return { observation: [x], reward: Number(action), terminated: x === 10, truncated: false };
    },
    close: () => {},
  };
};
`;

test.each([
  ['nobody answers', '127.0.0.1:9', 'CLUSTER_UNREACHABLE'],
  ['another machine without a token', '192.0.2.1:6379', 'CLUSTER_TOKEN'],
  ['a machine that does not exist', '192.0.2.1:6379', 'CLUSTER_UNREACHABLE'],
])('%s: one clear error within ten seconds, and no study is begun', async (_, rayAddress, code) => {
  vi.stubEnv('RAY_AUTH_MODE', undefined);
  const insecure = code !== 'CLUSTER_TOKEN';
  const begin = performance.now();
  await expect(study('there', { ray: { rayAddress, insecure } })).rejects.toMatchObject({ code });
  expect(performance.now() - begin).toBeLessThan(10_000);
  expect(readdirSync(folder)).toEqual([]);
});
