/** More models than may be in memory: who is dropped, who comes back, and who is refused. */
import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadPolicy, PPOConfig } from '../../src/index.ts';
import { createModelMemory, type KeptModel } from '../../src/serve/model-memory.ts';
import { createPolicyServer, type PolicyServer } from '../../src/serve/policy-server.ts';
import type { PolicyServerOptions } from '../../src/serve/server-settings.ts';

const MIB = 2 ** 20;
const NAMES = ['a', 'b', 'c'] as const;
const folder = mkdtempSync(join(tmpdir(), 'operant-memory-'));
const pathOf = (name: string) => join(folder, name);
beforeAll(async () => {
  for (const [k, name] of NAMES.entries()) {
    const algorithm = await new PPOConfig()
      .environment('CartPole-v1')
      .envRunners({ numEnvRunners: 0 })
      .training({ hiddenSizes: [256, 256], policyGain: 1 })
      .debugging({ seed: k })
      .learners({ engine: 'simd' })
      .build();
    await algorithm.save(pathOf(name));
    await algorithm.stop();
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const observations = Array.from({ length: 6 }, (_, k) => [Math.sin(k), Math.cos(k), Math.sin(2 * k), k / 6]);

async function serve(
  options: Partial<PolicyServerOptions>,
  use: (server: PolicyServer, lines: string[]) => Promise<void>,
) {
  const lines: string[] = [];
  const policies = NAMES.map((name) => ({ name, path: pathOf(name) }));
  const log = (line: string) => void lines.push(line);
  const server = await createPolicyServer({
    policies,
    port: 0,
    reloadMs: 0,
    timeoutMs: 60_000,
    log,
    ...options,
  });
  try {
    await use(server, lines);
  } finally {
    await server.close();
  }
}

async function act(server: PolicyServer, model: string, observation: readonly number[] = [0, 0, 0, 0]) {
  const body = JSON.stringify({ model, observation });
  const response = await fetch(`${server.url}/act`, { method: 'POST', body });
  return { status: response.status, json: (await response.json()) as Record<string, unknown> };
}
const loaded = async ({ models }: PolicyServer) =>
  (await models.list())
    .filter(({ isLoaded }) => isLoaded)
    .map(({ name }) => name)
    .join('');
const count = (lines: readonly string[], event: string) =>
  lines.filter((line) => JSON.parse(line).event === event).length;

test('of three models two fit: whoever was not asked for longest goes, comes back, and acts as before', async () => {
  let bytes = 0;
  await serve({}, async (server) => {
    expect(await loaded(server)).toBe('abc');
    bytes = Math.max(...(await server.models.list()).map((model) => model.bytes));
  });
  expect(bytes).toBeGreaterThan(2 * 4 * 66_000 * 2); // weights of actor and critic, twice
  const memoryBudgetMib = Math.ceil((2 * bytes) / MIB);
  expect(memoryBudgetMib).toBeLessThan((3 * bytes) / MIB);
  const expected = await Promise.all(
    NAMES.map(async (name) => (await loadPolicy(pathOf(name))).actBatch(observations)),
  );
  await serve({ memoryBudgetMib }, async (server, lines) => {
    expect(await loaded(server)).toBe('bc');
    await act(server, 'b');
    await act(server, 'a');
    expect(await loaded(server)).toBe('ab');
    for (const [k, observation] of observations.entries()) {
      const order = k % 2 === 0 ? NAMES : NAMES.toReversed();
      for (const name of order) {
        const { status, json } = await act(server, name, observation);
        expect([status, json.action]).toEqual([200, expected[NAMES.indexOf(name)][k]]);
        const held = (await server.models.list()).reduce((sum, model) => sum + model.bytes, 0);
        expect(held).toBeLessThanOrEqual(memoryBudgetMib * MIB);
      }
    }
    expect(count(lines, 'dropped')).toBe(count(lines, 'loaded') - 2);
  });
});

test('lazily nothing is loaded before it is asked for, and once for many who ask', async () => {
  await serve({ lazy: true }, async (server, lines) => {
    expect(await loaded(server)).toBe('');
    expect((await server.models.list()).map(({ name, version }) => [name, version])).toEqual(
      NAMES.map((name) => [name, name]),
    );
    const ask = async (path: string) => (await fetch(server.url + path)).status;
    const paths = ['/health/ready', '/v2/models/b/ready', '/v2/models/b/versions/b/ready'];
    expect(await Promise.all(paths.map(ask))).toEqual([200, 200, 200]);
    expect(await Promise.all(['/v2/models/x/ready', '/v2/models/b/versions/x/ready'].map(ask))).toEqual([
      404, 404,
    ]);
    expect(await loaded(server)).toBe(''); // whoever looks wakes nobody
    const answers = await Promise.all(Array.from({ length: 8 }, () => act(server, 'b')));
    expect(answers.map(({ status }) => status)).toEqual(new Array(8).fill(200));
    expect([await loaded(server), count(lines, 'loaded')]).toEqual(['b', 1]);
    expect((await act(server, 'x')).status).toBe(404);
  });
});

test('a checkpoint that has gone is told, disturbs nobody, and is found again', async () => {
  await serve({ lazy: true, breakerMs: 1 }, async (server) => {
    renameSync(pathOf('a'), pathOf('away'));
    const { status, json } = await act(server, 'a');
    expect([status, json.code]).toEqual([503, 'SERVE_LOAD']);
    expect((await act(server, 'b')).status).toBe(200);
    renameSync(pathOf('away'), pathOf('a'));
    await expect.poll(async () => (await act(server, 'a')).status).toBe(200);
  });
});

test('a version that is staged beside a default that is not in memory keeps nobody from the default', async () => {
  await serve({ lazy: true }, async (server) => {
    await server.models.stage({ name: 'a', path: pathOf('b'), version: 'next' });
    const { status, json } = await act(server, 'a');
    expect([status, json.version]).toEqual([200, 'a']);
  });
});

test('what is in use stays: then there is no room, and the newcomer is refused', async () => {
  const held: Record<string, number> = { old: 10, busy: 10, next: 0 };
  const kept = (name: string, isIdle: boolean): KeptModel => ({
    name,
    bytes: () => held[name],
    isLoaded: () => held[name] > 0,
    isIdle: () => isIdle,
    drop() {
      held[name] = 0;
    },
    async load() {
      held[name] = 15;
    },
  });
  const models = [kept('old', true), kept('busy', false), kept('next', true)];
  const memory = createModelMemory(() => models, {
    memoryBudgetBytes: 24,
    breakerMs: 3_600_000,
    timeoutMs: 3_600_000,
  });
  await expect(memory.use(models[2])).rejects.toMatchObject({ code: 'SERVE_MEMORY', status: 503 });
  expect(held).toEqual({ old: 0, busy: 10, next: 0 });
  await expect(memory.use(models[2])).rejects.toThrow(/No room/); // and is not tried again for a while
  expect(memory.use(models[1])).toBeNull();
});
