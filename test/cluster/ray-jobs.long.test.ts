/** The learner as a job of a real Ray with a token: sent, followed, listed, stopped; what cannot be sent is one clear error. */

import { randomFillSync } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { operant } from '../cli/run-in-process.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { findRay, type RayCluster, startRayCluster } from './ray-cluster.ts';

const TOKEN = 'a-token-of-this-test-and-of-nobody-else-0123456789';
const isRayHere = findRay() !== null;

/** An environment in a file of its own, and something that it imports. */
function project(): string {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'src'));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(join(folder, 'src/length.js'), 'export const LENGTH = 7;');
  writeFileSync(
    join(folder, 'src/count.js'),
    `import { LENGTH } from './length.js';
export default () => {
  let step = 0;
  return {
    observationSpace: { kind: 'box', low: Float32Array.of(0), high: Float32Array.of(1), shape: [1], size: 1, dtype: 'float32' },
    actionSpace: { kind: 'discrete', n: 2, start: 0 },
    reset: () => { step = 0; return { observation: [0] }; },
    step: (action) => ({ observation: [0], reward: Number(action), terminated: ++step === LENGTH, truncated: false }),
  };
};`,
  );
  return folder;
}

describe.skipIf(!isRayHere)('jobs of a cluster with a token', { timeout: 300_000 }, () => {
  let cluster: RayCluster;
  beforeAll(async () => {
    cluster = await startRayCluster({
      numNodes: 1,
      hasDashboard: true,
      env: { RAY_AUTH_MODE: 'token', RAY_AUTH_TOKEN: TOKEN },
    });
    vi.stubEnv('RAY_API_SERVER_ADDRESS', cluster.dashboard ?? '');
  }, 240_000);
  afterAll(async () => {
    vi.unstubAllEnvs();
    await cluster?.stop();
  }, 60_000);

  const ray = async (argv: readonly string[]) => {
    const result = await operant('ray', ...argv);
    expect(result.stdout + result.stderr).not.toContain(TOKEN);
    return result;
  };
  const submit = (folder: string, flags: readonly string[], command: readonly string[]) => {
    const before = process.cwd();
    process.chdir(join(folder, 'src'));
    const python = ['--python', process.env.OPERANT_PYTHON ?? ''];
    return ray(['submit', ...python, ...flags, '--', ...command]).finally(() => process.chdir(before));
  };
  const training = (out: string) => [
    'train',
    '--algo',
    'ppo',
    '--env',
    './count.js',
    '--num-envs',
    '2',
    '--num-env-runners',
    '1',
    '--out',
    out,
  ];

  test('a project is sent, trained on hosts of the cluster, followed and listed', async () => {
    const out = join(temporaryFolder(), 'run');
    const { exitCode, stdout } = await submit(project(), [], [...training(out), '--stop-iterations', '2']);
    expect(stdout).toMatch(
      /^Sent \d+\.\d MiB to http.*\nJob raysubmit_\w+: operant train .*--runners ray --ray-address auto/,
    );
    expect(stdout).toMatch(/on 1 rollout host of the Ray cluster auto \(Ray 2\./);
    expect(stdout).toMatch(/episodeLengthMean +7\n/);
    expect(exitCode).toBe(0);
    const { hosts } = JSON.parse(readFileSync(join(out, 'hosts.json'), 'utf8'));
    expect(hosts).toMatchObject([
      { environments: '0 to 1', logs: expect.stringMatching(/^ray logs actor --id \w+$/) },
    ]);
    const [, id] = /Job (\w+):/.exec(stdout) ?? [];
    const listed = await ray(['status']);
    expect(listed.stdout).toMatch(new RegExp(`${id} +SUCCEEDED .*operant train`));
    const one = await ray(['status', id, '--json']);
    expect(JSON.parse(one.stdout)).toMatchObject({ id, status: 'SUCCEEDED', exitCode: 0 });
    expect((await ray(['logs', id])).stdout).toContain('episodeLengthMean');
    expect((await ray(['stop', id])).stdout).toBe(`Job ${id} was over before: SUCCEEDED.\n`);
  });

  test('a job that is stopped ends with a checkpoint', async () => {
    const out = join(temporaryFolder(), 'run');
    const { exitCode, stdout } = await submit(project(), ['--no-follow'], training(out));
    expect(exitCode).toBe(0);
    const [, id] = /Job (\w+):/.exec(stdout) ?? [];
    await vi.waitFor(() => expect(existsSync(join(out, 'progress.jsonl'))).toBe(true), {
      timeout: 120_000,
      interval: 500,
    });
    expect((await ray(['stop', id])).stdout).toBe(`Job ${id}: STOPPED.\n`);
    expect(readdirSync(join(out, 'checkpoints'))).not.toEqual([]);
  });

  test('what the job says when it fails is shown, and it is a failure here', async () => {
    const { exitCode, stdout, stderr } = await submit(project(), [], ['train', '--env', 'CartPol']);
    expect(exitCode).toBe(1);
    expect(stdout).toContain('Did you mean');
    expect(stderr).toMatch(/^error: Job raysubmit_\w+ failed: exit code 2, its own words stand above\n$/);
  });

  test('refusals', async () => {
    const unknown = await ray(['logs', 'raysubmit_nobody']);
    expect(unknown).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/knows no job `raysubmit_nobody`/),
    });
    const large = project();
    writeFileSync(join(large, 'film.bin'), randomFillSync(Buffer.alloc(110 * 2 ** 20)));
    const refused = await submit(large, [], ['train', '--env', './count.js']);
    expect(refused).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(
        /^error: What would be sent has \d+\.\d MiB compressed, and Ray takes 100\.0 MiB\. The largest parts: project\/film\.bin 110\.0 MiB/,
      ),
    });
    expect(await ray(['submit'])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('behind `--`'),
    });
    vi.stubEnv('RAY_AUTH_TOKEN', 'not-the-token-of-this-cluster-9876543210-9876543210');
    expect(await ray(['status'])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('another one than its'),
    });
    vi.stubEnv('RAY_AUTH_TOKEN', undefined);
    vi.stubEnv('RAY_AUTH_TOKEN_PATH', join(large, 'nothing'));
    expect(await ray(['status'])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('there is none here'),
    });
  });
});
