/**
 * Trains for a long time and watches what must not grow: memory, threads and handles, temporary files, time per iteration.
 *
 *     npm run bench:soak -- [--minutes 10] [--env CartPole-v1] [--engine simd]
 *
 * Prints a line per tenth of the run and a verdict; the exit status is 1 when something grew.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { judgeSoak, soak } from './faults/soak-run.ts';
import { describeMachine, load, machineLine } from './machine.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    env: { type: 'string', default: 'CartPole-v1' },
    engine: { type: 'string', default: 'simd' },
  },
});

console.log(machineLine(describeMachine()));
console.log(`load before: ${load()}`);
const folder = mkdtempSync(join(tmpdir(), 'operant-soak-'));
const samples = await soak({
  env: values.env,
  engine: values.engine === 'tensorflow' ? 'tensorflow' : 'simd',
  seconds: Number(values.minutes) * 60,
  folder: join(folder, 'run'),
}).finally(() => rmSync(folder, { recursive: true, force: true }));

const tenth = Math.max(1, Math.floor(samples.length / 10));
for (let k = tenth - 1; k < samples.length; k += tenth) {
  const { iteration, rssMib, heapMib, arrayBuffersMib, numResources, iterationMs } = samples[k];
  console.log(
    `iteration ${iteration}: rss ${rssMib.toFixed(0)} MiB, heap ${heapMib.toFixed(1)} MiB, array buffers ${arrayBuffersMib.toFixed(1)} MiB, ${numResources} handles, ${iterationMs.toFixed(1)} ms`,
  );
}
const { lines, isFlat } = judgeSoak(samples);
for (const line of lines) console.log(line);
console.log(isFlat ? 'flat' : 'NOT flat');
process.exitCode = isFlat ? 0 : 1;
