/** A forgotten `stop()` is told of by a process of its own that would never end, and only when nothing else goes on in it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';

/** Somewhat more than what the reminder waits for; on a slow machine it may come later, never sooner. */
const LONGER_THAN_IDLE_MS = 4000;

/** @returns the process, and what it has said on stderr so far. */
function startFixture(name: string) {
  const script = fileURLToPath(new URL(`./fixtures/${name}.ts`, import.meta.url));
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), script]);
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  let text = '';
  child.stderr.on('data', (chunk) => {
    text += chunk;
  });
  return { child, told: () => text };
}

it('comes once nobody reads the input any more, and not before', async () => {
  const { child, told } = startFixture('forgets-stop');
  await once(child.stdout, 'data');
  await sleep(LONGER_THAN_IDLE_MS);
  expect(told()).toBe('');
  child.stdin.end();
  await expect
    .poll(told, { timeout: 50_000, interval: 50 })
    .toContain('nothing but the worker threads of ppo keeps this process alive');
  expect(child.exitCode).toBe(null);
});

it('does not come while another algorithm is built', async () => {
  const { child, told } = startFixture('builds-for-long');
  const begin = performance.now();
  expect(await once(child, 'close')).toEqual([0, null]);
  expect(told()).toBe('');
  expect(performance.now() - begin).toBeGreaterThan(5000);
});
