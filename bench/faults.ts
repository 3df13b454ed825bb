/**
 * What a run survives, counted: SIGKILLs, lost workers of every kind at every place, damaged files, wrong configs.
 *
 *     npm run bench:faults -- [--kills 200] [--deaths 100] [--inputs 100000] [--configs 10000] [--only kills,deaths,parsers]
 *
 * Prints tables; the exit status is 1 when anything was lost or differs from an undisturbed run.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { killAndResume } from './faults/kill-and-resume.ts';
import { fuzzParsers } from './faults/parsers.ts';
import { FAULTS, injectDeaths } from './faults/worker-deaths.ts';
import { describeMachine, load, machineLine } from './machine.ts';
import { median } from './statistics.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    deaths: { type: 'string', default: '100' },
    inputs: { type: 'string', default: '100000' },
    configs: { type: 'string', default: '10000' },
    only: { type: 'string', default: 'kills,deaths,parsers' },
    seed: { type: 'string', default: '1' },
  },
});
const seed = Number(values.seed);
const parts = values.only.split(',');
let numProblems = 0;

function report(problems: readonly string[]): void {
  numProblems += problems.length;
  for (const problem of problems.slice(0, 10)) console.log(`  PROBLEM ${problem}`);
}

console.log(machineLine(describeMachine()));
console.log(`load before: ${load()}`);

if (parts.includes('parsers')) {
  console.log('\nparser | inputs | accepted | untyped errors | slowest');
  for (const { parser, numInputs, numAccepted, problems, slowestMs } of fuzzParsers(
    Number(values.inputs),
    Number(values.configs),
    seed,
  )) {
    console.log(
      `${parser} | ${numInputs} | ${numAccepted} | ${problems.length} | ${slowestMs.toFixed(1)} ms`,
    );
    report(problems);
  }
}

if (parts.includes('kills')) {
  const folder = mkdtempSync(join(tmpdir(), 'operant-kills-'));
  const kills = await killAndResume(join(folder, 'run'), Number(values.kills), seed, (done) => {
    if (done % 20 === 0) console.log(`  ${done} kills`);
  }).finally(() => rmSync(folder, { recursive: true, force: true }));
  console.log('\nSIGKILL at random moments, a checkpoint each iteration');
  console.log(
    `kills ${kills.numKills}, of them inside a save ${kills.numInsideSave}, before training began ${kills.numDuringStart}`,
  );
  console.log(
    `newest checkpoint loaded and equal to the undisturbed run: ${kills.numExact} of ${kills.numKills}`,
  );
  console.log(`iterations ${kills.numIterations}, of them trained twice ${kills.numIterationsRepeated}`);
  report(kills.problems);
}

if (parts.includes('deaths')) {
  console.log('\nworker | place | injected | recovered | exact | to full strength: median, worst');
  for (const fault of FAULTS) {
    const { numInjected, numRecovered, numExact, recoverySeconds, problems } = await injectDeaths(
      fault,
      Number(values.deaths),
      seed,
    );
    const times =
      recoverySeconds.length === 0
        ? '-'
        : `${median(recoverySeconds).toFixed(2)} s, ${Math.max(...recoverySeconds).toFixed(2)} s`;
    console.log(`${fault.kind} | ${fault.place} | ${numInjected} | ${numRecovered} | ${numExact} | ${times}`);
    report(problems);
  }
}

console.log(numProblems === 0 ? '\nnothing was lost' : `\n${numProblems} problems`);
process.exitCode = numProblems === 0 ? 0 : 1;
