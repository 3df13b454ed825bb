/** `operant/policy` against the kernels' policy of the same checkpoint: every kind that shipped algorithms make. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sampleSpace } from '../../src/env/space-values.ts';
import { loadPolicy as loadPortable, type PolicyReader } from '../../src/exports/policy.ts';
import { loadPolicy } from '../../src/index.ts';
import { actorNoiseSeed } from '../../src/random/actor-seed.ts';
import { openStream } from '../../src/random/streams.ts';
import { SHIPPED_POLICIES, shippedCheckpoint } from '../reference/shipped-policies.ts';

const reader = (folder: string): PolicyReader => ({
  read: (path) =>
    readFile(join(folder, path)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null;
      throw error;
    }),
});

const numbersOf = (action: unknown) =>
  typeof action === 'number' ? [action] : Array.from(action as ArrayLike<number>);

function expectClose(actual: unknown, expected: unknown): void {
  const [a, b] = [numbersOf(actual), numbersOf(expected)];
  expect(a).toHaveLength(b.length);
  for (const [k, x] of a.entries())
    expect(Math.abs(x - b[k])).toBeLessThanOrEqual(1e-5 * Math.max(1, Math.abs(b[k])));
}

describe.each(SHIPPED_POLICIES)('%s', (name) => {
  const stream = openStream(5, 'portable', name);
  const open = async () => {
    const path = await shippedCheckpoint(name);
    return { path, kernels: await loadPolicy(path), portable: await loadPortable(reader(path)) };
  };
  const options = name.includes('masks') ? { actionMask: Uint8Array.of(1, 0, 1, 1, 0) } : {};

  test('acts as the kernels do, alone and in batches', async () => {
    const { kernels, portable } = await open();
    const observations = Array.from({ length: 200 }, () => sampleSpace(portable.observationSpace, stream));
    const masks = observations.map(() => options.actionMask ?? new Uint8Array(0));
    const expected = kernels.actBatch(observations, masks);
    const batch = portable.actBatch(observations, masks);
    for (const [k, observation] of observations.entries()) {
      expectClose(batch[k], expected[k]);
      expectClose(portable.act(observation, options), expected[k]);
    }
  });

  test('samples as the kernels do under the same seed', async () => {
    const { kernels, portable } = await open();
    const [ours, theirs] = [portable.actor(9), kernels.actor()];
    theirs.reset(9);
    for (let t = 0; t < 50; t++) {
      const observation = sampleSpace(portable.observationSpace, stream);
      const act = { ...options, deterministic: false };
      expectClose(ours.act(observation, act), theirs.act(observation, act));
    }
  });

  test('says what it is sure of', async () => {
    const { kernels, portable } = await open();
    const observation = sampleSpace(portable.observationSpace, stream);
    const { distribution, value } = kernels.inspect(observation, options);
    expect(portable.distribution(observation, options)).toEqual(distribution);
    const values = distribution.kind === 'action-values' ? distribution.values : null;
    if (values === null) expect(portable.value(observation, options)).toBe(value);
    else {
      const allowed = (branch: number, k: number) =>
        options.actionMask === undefined ||
        options.actionMask[(branch === 0 ? 0 : values[0].length) + k] === 1;
      const best = values.map((choices, branch) => Math.max(...choices.filter((_, k) => allowed(branch, k))));
      expect(portable.value(observation, options)).toBeCloseTo(best.reduce((a, b) => a + b) / best.length, 9);
    }
    const isDiscrete = distribution.kind === 'categorical' || distribution.kind === 'bernoulli';
    if (!isDiscrete) expect(() => portable.probabilities(observation, options)).toThrow(/distribution/);
    else {
      const { probabilities } = distribution;
      expect(portable.probabilities(observation, options).flat()).toEqual(probabilities.flat());
    }
  });
});

test('an actor draws from the seed that the kernels draw from', () => {
  for (const seed of [0, 1, -7, 123_456_789, 2 ** 40])
    expect(actorNoiseSeed(seed)).toBe(openStream(seed, 'actor').integer(2 ** 32));
});

describe('loading', () => {
  let folder: string;
  let checkpoint: string;
  let url: string;
  const server = createServer((request, response) => {
    const path = join(folder, decodeURIComponent((request.url ?? '').split('?')[0]));
    try {
      response.end(readFileSync(path));
    } catch {
      response.setHeader('content-type', 'text/html').end('<!doctype html>'); // as development servers do
    }
  });
  beforeAll(async () => {
    checkpoint = await shippedCheckpoint('ppo, categorical');
    folder = mkdtempSync(join(tmpdir(), 'operant-served-'));
    cpSync(checkpoint, join(folder, 'run/checkpoints/000012'), { recursive: true });
    writeFileSync(join(folder, 'run/latest'), 'checkpoints/000012\n');
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('from a URL of a checkpoint or of a run folder', async () => {
    const expected = (await loadPolicy(checkpoint)).actor().act([0.1, 0.2, 0.3, 0.4]);
    for (const path of ['/run/checkpoints/000012', '/run/']) {
      const policy = await loadPortable(new URL(path, url));
      expect(policy.act([0.1, 0.2, 0.3, 0.4])).toBe(expected);
    }
  });

  test.each([
    ['nothing there', '/other/', 'CHECKPOINT_NOT_FOUND'],
    ['a path', 'runs/cart-pole', 'CONFIG_POLICY_SOURCE'],
    ['a file URL', 'file:///runs/cart-pole', 'CONFIG_POLICY_SOURCE'],
    ['nobody listens', 'http://127.0.0.1:1/', 'CHECKPOINT_READ'],
  ])('refuses %s', async (_, path, code) => {
    const source = path.startsWith('/') ? url + path : path;
    await expect(loadPortable(source)).rejects.toThrow(expect.objectContaining({ code }));
  });

  /** The checkpoint with one file changed on its way. */
  const changed = (file: RegExp, change: (bytes: Uint8Array) => Uint8Array | null): PolicyReader => ({
    read: async (path) => {
      const bytes = await reader(checkpoint).read(path);
      return bytes !== null && file.test(path) ? change(new Uint8Array(bytes)) : bytes;
    },
  });
  const flipped = (bytes: Uint8Array) => {
    bytes[bytes.length - 3] ^= 1;
    return bytes;
  };
  test.each([
    ['a flipped bit', changed(/weights/, flipped), 'CHECKPOINT_CHECKSUM'],
    ['a file cut off', changed(/weights/, (bytes) => bytes.subarray(9)), 'CHECKPOINT_FILE_SIZE'],
    ['a file that is missing', changed(/weights/, () => null), 'CHECKPOINT_FILE_MISSING'],
    ['half a manifest', changed(/manifest/, (bytes) => bytes.subarray(0, 99)), 'CHECKPOINT_JSON'],
  ])('refuses %s', async (_, source, code) => {
    await expect(loadPortable(source)).rejects.toThrow(expect.objectContaining({ code }));
  });

  test('names what does not fit', async () => {
    const policy = await loadPortable(reader(checkpoint));
    expect(() => policy.act([0])).toThrow(expect.objectContaining({ code: 'SHAPE_OBSERVATION' }));
    expect(() => policy.actBatch([[0, 0, 0, 0], [0]])).toThrow(/Observation 1/);
    const masked = await loadPortable(reader(await shippedCheckpoint('dqn, masks, branches, statistics')));
    const observation = { place: 1, speed: [1, 2] };
    expect(() => masked.act(observation)).toThrow(expect.objectContaining({ code: 'SHAPE_ACTION_MASK' }));
  });
});
