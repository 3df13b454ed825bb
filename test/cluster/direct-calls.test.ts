/** What bridge and actors are started with. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { callEnvironment } from '../../src/cluster/direct-calls.ts';
import { packageRoot } from '../../src/machine/operant-version.ts';

test('values of less than 9 MiB travel with a call, within the 10 that Ray lets; what the user has set stays', () => {
  const direct = 'RAY_max_direct_call_object_size';
  expect(callEnvironment({})[direct]).toBe('9437184');
  expect(callEnvironment({ [direct]: '50000' })).toEqual({ ...callEnvironment({}), [direct]: '50000' });
});

test('an answer is cut into parts that travel so', () => {
  const source = readFileSync(join(packageRoot(), 'src/cluster/ray_bridge.py'), 'utf8');
  const [, whole, less] = /^PART = \((\d+) << 20\) - \((\d+) << 10\)/m.exec(source) ?? [];
  const direct = Number(callEnvironment({}).RAY_max_direct_call_object_size);
  expect(Number(whole) * 2 ** 20).toBe(direct);
  expect(Number(less)).toBeGreaterThanOrEqual(16); // what says what the bytes are takes some hundreds
});

test('the bridge knows them by name, to give them to actors and keep them from rollout processes', () => {
  const source = readFileSync(join(packageRoot(), 'src/cluster/ray_bridge.py'), 'utf8');
  for (const name of Object.keys(callEnvironment({}))) expect(source).toContain(`"${name}"`);
});
