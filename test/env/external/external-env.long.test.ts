/** Simulators in processes of their own, over real sockets and pipes. */
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, it } from 'vitest';
import { registerShippedEnvs } from '../../../envs/index.ts';
import { resolveEnv } from '../../../src/env/env-source.ts';
import { makeVectorEnv } from '../../../src/env/load-env.ts';
import { fixture, type OpenedGroup, openGroup, play } from '../../rollout/open-group.ts';
import { FIXTURE, freePort, isOpen, NODE, start, startCounting } from './programs.ts';

beforeAll(registerShippedEnvs);

const SIZE = { numEnvs: 5, rolloutLength: 9 };
const faultPolicy = { restartFailedEnvs: 'replay', nonFinite: 'stop' } as const;
const PYTHON_FIXTURE = fileURLToPath(new URL('./fixtures/serve_counting.py', import.meta.url));

const here = async (masks = false) =>
  play(await openGroup({ ...SIZE, source: fixture('counting-env', { masks }) }), 3);

const external = (port: number, options: object = {}): Promise<OpenedGroup> =>
  openGroup({ ...SIZE, source: resolveEnv('external:Counting', { port, ...options }), faultPolicy });

it.each([
  ['JavaScript', (address: string) => [...NODE, FIXTURE, address, '{"numEnvs": 6, "masks": true}']],
  [
    'Python',
    (address: string) => ['python3', PYTHON_FIXTURE, address, '{"num_envs": 6, "masks_actions": true}'],
  ],
])(
  '%s over a WebSocket: the rollouts of the same environment here; afterwards nothing listens and nothing runs',
  async (_, command) => {
    const port = await freePort();
    const simulator = start(command(`ws://127.0.0.1:${port}`));
    const opened = await external(port);
    expect(await play(opened, 3)).toEqual(await here(true));
    expect(opened.group.takeEnvFaults().faults).toEqual([]);
    await opened.group.stop();
    expect(await simulator.ended).toBe(0);
    expect(simulator.output()).toContain('goodbye');
    expect(await isOpen(port)).toBe(false);
  },
);

it.each([
  ['JavaScript', [...NODE, FIXTURE, 'stdio:', '{"numEnvs":3}']],
  ['Python', ['python3', PYTHON_FIXTURE, 'stdio:', '{"num_envs":3}']],
])(
  '%s that Operant starts, as often as rows need: the same over its input and output, whatever it prints',
  async (_, command) => {
    const source = resolveEnv(`stdio:${command.map((word) => `'${word}'`).join(' ')}`);
    const opened = await openGroup({ ...SIZE, source, faultPolicy });
    expect(await play(opened, 3)).toEqual(await here());
  },
);

it('rows of several clients: two programs of two and three environments', async () => {
  const port = await freePort();
  for (const numEnvs of [2, 3]) startCounting(port, { numEnvs });
  expect(await play(await external(port), 3)).toEqual(await here());
});

it('a client that is killed is cut as truncated and counted, and comes back', async () => {
  const port = await freePort();
  const first = startCounting(port, { numEnvs: 5, stallFrom: 10 });
  const opened = await external(port, { stepDeadlineSeconds: 3600 });
  await opened.group.start(null);
  const collecting = opened.group.collect(opened.publish());
  await expect.poll(() => first.output(), { timeout: 60_000 }).toContain('hangs now');
  first.child.kill('SIGKILL');
  startCounting(port, { numEnvs: 5 });
  const { rollout } = await collecting;
  const { counts, faults } = opened.group.takeEnvFaults();
  expect(counts).toEqual({ repeated: 0, 'new-episode': 5, clipped: 0 });
  expect(faults[0].error).toMatchObject({ code: 'ENV_CLIENT_GONE', place: { envId: 'external:Counting' } });
  const cut = [...rollout.truncated].filter(
    (value, i) => value === 1 && rollout.terminated[i] === 0 && rollout.rewards[i] === 0,
  );
  expect(cut.length).toBe(5);
});

it.each([
  ['throws', { throwAt: 7 }, {}, 'ENV_CLIENT_FAILED', 'the engine stalled'],
  [
    'hangs',
    { hangAt: 7, numEnvs: 6 },
    { stepDeadlineSeconds: 1 },
    'ENV_DEADLINE',
    'has not answered a step within 1 s',
  ],
])('an environment that %s in its client is cut alone', async (_, trouble, options, code, message) => {
  const port = await freePort();
  startCounting(port, { numEnvs: 5, ...trouble });
  const opened = await external(port, options);
  await opened.group.start(null);
  await opened.group.collect(opened.publish());
  const { counts, faults } = opened.group.takeEnvFaults();
  // On a busy machine others may be late, too.
  expect(counts['new-episode']).toBeGreaterThanOrEqual(1);
  if (code !== 'ENV_DEADLINE') expect(counts['new-episode']).toBe(1);
  expect(faults[0].error.code).toBe(code);
  expect(faults[0].error.message).toContain(message);
});

it('too few environments end in an error that says how many are there and what to do', async () => {
  const port = await freePort();
  startCounting(port, { numEnvs: 3 });
  const opened = await external(port, { connectSeconds: 10 });
  await expect(opened.group.start(null)).rejects.toThrow(/3 are there, and 2 more are wanted.*numEnvs/);
});

it('nobody at all: the same, and the port is closed', async () => {
  const port = await freePort();
  const source = resolveEnv('external:Nobody', { port, connectSeconds: 0.2 });
  await expect(makeVectorEnv(source, 1)).rejects.toMatchObject({ code: 'ENV_NO_CLIENT' });
});

it.each([
  ['ends before it says hello', `'${process.execPath}' -e 0`, /ended \(code 0\) before it said hello/],
  ['prints', `'${process.execPath}' -e 'console.log("hello world")'`, /nothing else/],
  ['does not exist', '/nowhere/at/all', /ENOENT/],
])('a program that %s', async (_, command, message) => {
  const source = resolveEnv(`stdio:${command}`, { connectSeconds: 20 });
  await expect(makeVectorEnv(source, 1)).rejects.toThrow(message);
});

it.each([
  [{ host: '0.0.0.0' }, 'give a `token`'],
  [{ token: 'short' }, 'at least 8 characters'],
  [{ port: 70_000 }, 'in [0, 65535]'],
  [{ prot: 1 }, 'Unknown option `prot`'],
])('options %j are refused', async (options, message) => {
  await expect(makeVectorEnv(resolveEnv('external:Game', options), 1)).rejects.toThrow(message);
});
