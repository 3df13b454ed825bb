/** Fuzzed bodies by the hundred thousand, and soaks by the hour, against a server in a process of its own; told in lines, and judged. */
import { join } from 'node:path';
import { type FuzzTarget, fuzzBodies, fuzzFrames } from './fuzz.ts';
import { makePlainPolicy, makeRecurrentPolicy } from './policies.ts';
import { startServed } from './served.ts';
import { judge, makeRun, type SoakSubject, soakServer } from './soak.ts';

const TOKEN = 'a-token-of-the-bench';
const MAX_BODY_BYTES = 4096;
const SESSION_MS = 2_000;
const NUM_LINES = 10;

/** @returns whether nothing failed and nothing was left. */
export async function runFuzz(
  folder: string,
  { numBodies, seed }: { readonly numBodies: number; readonly seed: number },
): Promise<boolean> {
  const { server, target } = await startSubject(folder);
  try {
    await fuzzBodies(target, Math.min(numBodies, 2_000), seed + 1); // whatever is allocated once is there
    const before = await server.holdings();
    const began = performance.now();
    const bodies = await fuzzBodies(target, numBodies, seed);
    const frames = await fuzzFrames(target, Math.ceil(numBodies / 10), seed);
    const seconds = (performance.now() - began) / 1000;
    const after = await server.holdings();
    for (const [what, number] of Object.entries({ ...bodies.answers, ...frames.answers }).sort())
      console.log(`${what.padEnd(28)} ${number}`);
    const failures = [...bodies.failures, ...frames.failures];
    for (const failure of failures) console.log(`FAILED ${failure}`);
    const growth = after.heapMib - before.heapMib;
    console.log(
      `${numBodies} bodies and ${Math.ceil(numBodies / 10)} frames of seed ${seed} in ${seconds.toFixed(0)} s: ${bodies.numFailures + frames.numFailures} failures; heap ${before.heapMib.toFixed(1)} -> ${after.heapMib.toFixed(1)} MiB, ${before.numFiles} -> ${after.numFiles} files, ${before.numResources} -> ${after.numResources} handles`,
    );
    return failures.length === 0 && growth < 2 && after.numFiles <= before.numFiles + 2;
  } finally {
    await server.stop();
  }
}

/** @returns whether nothing failed and nothing grew. */
export async function runSoak(
  folder: string,
  { seconds, seed }: { readonly seconds: number; readonly seed: number },
): Promise<boolean> {
  const subject = await startSubject(folder);
  try {
    const { samples, counts, failures } = await soakServer(subject, seconds, seed);
    for (const [what, number] of Object.entries(counts).sort()) console.log(`${what.padEnd(36)} ${number}`);
    for (const failure of failures) console.log(`FAILED ${failure}`);
    const every = Math.max(1, Math.floor(samples.length / NUM_LINES));
    for (const sample of samples.filter((_, k) => k % every === every - 1)) {
      const { rssMib, heapMib, numResources, numFiles, sessions } = sample;
      console.log(
        `${sample.seconds.toFixed(0)} s: rss ${rssMib.toFixed(0)} MiB, heap ${heapMib.toFixed(1)} MiB, ${numResources} handles, ${numFiles} files, ${sessions} sessions`,
      );
    }
    const { lines, isFlat } = judge(samples);
    for (const line of lines) console.log(line);
    console.log(
      `${samples.length} rounds: ${isFlat ? 'flat' : samples.length < 4 ? 'too few to judge' : 'NOT flat'}`,
    );
    return failures.length === 0 && isFlat;
  } finally {
    await subject.server.stop();
  }
}

async function startSubject(folder: string): Promise<SoakSubject> {
  const run = makeRun(join(folder, 'run'), await makePlainPolicy(folder));
  const policies = [
    { name: 'cart', path: run },
    { name: 'memory', path: await makeRecurrentPolicy(folder) },
  ];
  const limits = { maxBodyBytes: MAX_BODY_BYTES, sessionMs: SESSION_MS, timeoutMs: 30_000, reloadMs: 0 };
  const options = { policies, port: 0, adminPort: 0, tokens: [TOKEN], ...limits };
  const server = await startServed({ kind: 'operant', options });
  const target: FuzzTarget = { port: server.port, token: TOKEN, model: 'cart', maxBodyBytes: MAX_BODY_BYTES };
  return { server, target, recurrent: 'memory', sessionMs: SESSION_MS, run };
}
