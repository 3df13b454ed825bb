/** What hostile clients get: the campaigns of `npm run bench:serve -- --only fuzz,soak`, small. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FuzzTarget, fuzzBodies, fuzzFrames } from '../../bench/serve/fuzz.ts';
import { makePlainPolicy, makeRecurrentPolicy } from '../../bench/serve/policies.ts';
import { startServed } from '../../bench/serve/served.ts';
import { judge, makeRun, type SoakSample, type SoakSubject, soakServer } from '../../bench/serve/soak.ts';

const folder = mkdtempSync(join(tmpdir(), 'operant-abuse-'));
const TOKEN = 'a-token-of-many-letters';
let subject: SoakSubject;
beforeAll(async () => {
  const run = makeRun(join(folder, 'run'), await makePlainPolicy(folder));
  const policies = [
    { name: 'cart', path: run },
    { name: 'memory', path: await makeRecurrentPolicy(folder) },
  ];
  const limits = { maxBodyBytes: 4096, timeoutMs: 60_000, reloadMs: 0, sessionMs: 3_600_000 };
  const server = await startServed({
    kind: 'operant',
    options: { policies, port: 0, adminPort: 0, tokens: [TOKEN], ...limits },
  });
  const target: FuzzTarget = { port: server.port, token: TOKEN, model: 'cart', maxBodyBytes: 4096 };
  subject = { server, target, recurrent: 'memory', sessionMs: limits.sessionMs, run };
}, 120_000);
afterAll(async () => {
  await subject?.server.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('no fuzzed body and no fuzzed frame fails it', { timeout: 120_000 }, async () => {
  const numBodies = Number(process.env.OPERANT_SERVE_BODIES ?? 5_000);
  const bodies = await fuzzBodies(subject.target, numBodies, 1);
  const frames = await fuzzFrames(subject.target, numBodies / 10, 1);
  expect([bodies.failures, frames.failures]).toEqual([[], []]);
  const total = Object.values(bodies.answers).reduce((sum, number) => sum + number, 0);
  expect(total).toBe(numBodies);
  // The same bodies again for the same seed, and each kind is refused as what it is.
  expect((await fuzzBodies(subject.target, 200, 7)).answers).toEqual(
    (await fuzzBodies(subject.target, 200, 7)).answers,
  );
  expect(bodies.answers).toMatchObject({ 'wrong token: 401': numBodies / 10 });
  for (const kind of ['oversize: 413', 'cut off: 400', 'nested deeply: 400', 'a byte changed: 200'])
    expect(bodies.answers[kind], kind).toBeGreaterThan(0);
});

test('slow, silent and half-closed clients are cut off, disks that have gone change nothing, nothing is held afterwards', {
  timeout: 300_000,
}, async () => {
  const { counts, failures, samples } = await soakServer(subject, 1, 3);
  expect(failures).toEqual([]);
  for (const kind of ['slow headers', 'slow body', 'silent', 'half-closed'])
    expect(counts[`${kind}: cut off`], kind).toBe(5);
  expect(counts['reloads from a disk that had gone']).toBe(1);
  expect(samples.at(-1)).toMatchObject({ inFlight: 0, webSockets: 0 });
});

test('a soak that leaks is seen', () => {
  const sample = (k: number): SoakSample => ({
    ...{ seconds: k, rssMib: 100, heapMib: 20, arrayBuffersMib: 1, numResources: 5, numFiles: 30, cpuUs: 0 },
    ...{ inFlight: 0, webSockets: 0, sessions: 3 },
  });
  const samples = Array.from({ length: 20 }, (_, k) => sample(k));
  expect(judge(samples).isFlat).toBe(true);
  for (const leak of [
    { heapMib: 0.5 },
    { numFiles: 1 },
    { numResources: 1 },
    { webSockets: 1 },
    { rssMib: 5 },
  ]) {
    const [[name, each]] = Object.entries(leak);
    const leaking = samples.map((one, k) => ({ ...one, [name]: one[name as 'heapMib'] + each * k }));
    expect(judge(leaking).isFlat, name).toBe(false);
  }
});
