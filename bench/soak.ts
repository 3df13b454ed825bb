/**
 * Trains for a long time and watches what must not grow: memory, threads and handles, temporary files, time per iteration.
 *
 *     npm run bench:soak -- [--minutes 10] [--env CartPole-v1] [--engine simd]
 *     npm run bench:soak -- --steps 20000000 [--env CartPole-v1]
 *
 * By minutes: everything that a run can do is switched on, and looked at from inside; prints a line per tenth. By steps: the
 * compiled command line, looked at from outside at each quarter; writes bench/results/soak.md. Either way there is a verdict, and
 * the exit status is 1 when something grew.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { judgeSoak, soak } from './faults/soak-run.ts';
import { STEP_SOAK_FLAGS, type StepSoakSample, soakSteps } from './faults/step-soak.ts';
import { compiledSubject } from './faults/subject.ts';
import { describeMachine, load, machineLine } from './machine.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    steps: { type: 'string' },
    env: { type: 'string', default: 'CartPole-v1' },
    engine: { type: 'string', default: 'simd' },
  },
});

/** Resident memory from the first quarter to the end, and in all. */
const MAX_GROWTH_MIB = 5;
const MAX_RSS_MIB = 250;

const machine = describeMachine();
const loadBefore = load();
console.log(`${machineLine(machine)}\nload before: ${loadBefore}`);
const folder = mkdtempSync(join(tmpdir(), 'operant-soak-'));
try {
  const isFlat = values.steps === undefined ? await byMinutes() : await bySteps(Number(values.steps));
  console.log(isFlat ? 'flat' : 'NOT flat');
  process.exitCode = isFlat ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function byMinutes(): Promise<boolean> {
  const samples = await soak({
    env: values.env,
    engine: values.engine === 'tensorflow' ? 'tensorflow' : 'simd',
    seconds: Number(values.minutes) * 60,
    folder: join(folder, 'run'),
  });
  const tenth = Math.max(1, Math.floor(samples.length / 10));
  for (let k = tenth - 1; k < samples.length; k += tenth) {
    const { iteration, rssMib, heapMib, arrayBuffersMib, numResources, iterationMs } = samples[k];
    console.log(
      `iteration ${iteration}: rss ${rssMib.toFixed(0)} MiB, heap ${heapMib.toFixed(1)} MiB, array buffers ${arrayBuffersMib.toFixed(1)} MiB, ${numResources} handles, ${iterationMs.toFixed(1)} ms`,
    );
  }
  const { lines, isFlat } = judgeSoak(samples);
  for (const line of lines) console.log(line);
  return isFlat;
}

async function bySteps(numSteps: number): Promise<boolean> {
  const { train } = await compiledSubject(folder);
  const line = ({ numEnvSteps, rssMib, numThreads, numFiles, stepsPerSecond }: StepSoakSample) =>
    `| ${numEnvSteps} | ${rssMib.toFixed(1)} MiB | ${numThreads} | ${numFiles} | ${Math.round(stepsPerSecond)} |`;
  const samples = await soakSteps({
    ...{ train, env: values.env, numSteps, numSamples: 4, folder: join(folder, 'run') },
    onSample: (sample) => console.log(line(sample)),
  });
  if (samples.length < 4) throw new Error(`--steps ${numSteps} is too few: four looks need four iterations.`);
  const growth = samples[3].rssMib - samples[0].rssMib;
  const greatest = Math.max(...samples.map(({ rssMib }) => rssMib));
  const isFlat =
    growth < MAX_GROWTH_MIB &&
    greatest < MAX_RSS_MIB &&
    samples[3].numThreads <= samples[0].numThreads &&
    samples[3].numFiles <= samples[0].numFiles + 10; // a save may be going on
  const page = [
    '# A long run',
    '',
    `\`npm run bench:soak -- --steps ${numSteps} --env ${values.env}\`. ${machineLine(machine)}. Load ${loadBefore} before, ${load()} after.`,
    `Trained with \`${STEP_SOAK_FLAGS}\`; looked at from outside, no garbage collection asked for.`,
    '',
    '| environment steps | resident memory | threads | open files | steps/s since the line before |',
    '| --- | --- | --- | --- | --- |',
    ...samples.map(line),
    '',
    `Resident memory grew by ${growth.toFixed(1)} MiB from the first line to the last (aim: less than ${MAX_GROWTH_MIB}), ${greatest.toFixed(0)} MiB at most (aim: less than ${MAX_RSS_MIB}).`,
    '',
  ];
  writeFileSync(new URL('./results/soak.md', import.meta.url), page.join('\n'));
  return isFlat;
}
