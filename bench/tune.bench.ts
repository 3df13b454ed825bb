/**
 * `npm run bench:tune`: searchers beside Optuna's, schedulers and PBT on a task, kills of whole studies,
 * and what a study costs beside its trials.
 *
 * `-- --only searchers,studies,tpe-cartpole,tpe-pendulum,tpe-pendulum-seeds,tpe-pendulum-evaluation,asha,asha-60,noise,draws,pbt,pbt-cliff,kills,overhead,empty` picks sections; `--studies 5` says of how many studies, `--first-study 0` which is the first (a study is the same whoever runs it: more can be added later); `--python PATH` names a Python with optuna, `--ray-python PATH` one with ray[tune]; `--kills 100` says how many; `--built` runs
 * the package in dist/, which starts sooner; `--parallel 2` trials of a study side by side (it is the same for any).
 */
import { fileURLToPath } from 'node:url';
import { option } from './harness.ts';
import { describeMachine, machineLine } from './machine.ts';
import { compareAsha } from './tune/asha.ts';
import { countRefused } from './tune/draws.ts';
import { killStudies } from './tune/kills.ts';
import { measureNoise } from './tune/noise.ts';
import { measureOverhead } from './tune/overhead.ts';
import { type Section, sectionText } from './tune/report.ts';
import { compareSearchers } from './tune/searchers.ts';
import { comparePbt, comparePbtOnCliff, compareStudies, compareTpe } from './tune/studies.ts';

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
/** Arguments of node that are `operant`. */
const CLI = process.argv.includes('--built')
  ? [path('../dist/src/cli/main.js')]
  : ['--import', import.meta.resolve('tsx'), path('../src/cli/main.ts')];
const { Tuner } = (await import(
  path(process.argv.includes('--built') ? '../dist/src/index.js' : '../src/index.ts')
)) as typeof import('../src/index.ts');
const runs = {
  numStudies: Number(option('studies', '5')),
  firstStudy: Number(option('first-study', '0')),
  Tuner,
  parallel: Number(option('parallel', '2')),
};
const SECTIONS: Readonly<Record<string, () => Section | Promise<Section>>> = {
  searchers: () => compareSearchers(option('python', 'python3')),
  studies: () => compareStudies(runs),
  'tpe-cartpole': () => compareTpe('cartpole', runs),
  'tpe-pendulum': () => compareTpe('pendulum', runs),
  'tpe-pendulum-seeds': () => compareTpe('pendulum-seeds', runs),
  'tpe-pendulum-evaluation': () => compareTpe('pendulum-evaluation', runs),
  asha: () => compareAsha('asha', runs),
  'asha-60': () => compareAsha('asha-60', runs),
  noise: () => measureNoise(runs),
  draws: () => countRefused(),
  pbt: () => comparePbt(runs),
  'pbt-cliff': () => comparePbtOnCliff(runs),
  kills: () => killStudies(CLI, Number(option('kills', '100'))),
  overhead: () => measureOverhead(CLI, option('ray-python', 'python3'), 20_480),
  // of trials that do next to nothing: one iteration
  empty: () => measureOverhead(CLI, option('ray-python', 'python3'), 1_024),
};

const names = option('only', Object.keys(SECTIONS).join(',')).split(',');
process.stdout.write(`# Tuning\n\n${machineLine(describeMachine())}\n`);
for (const name of names) process.stdout.write(`\n${sectionText(await SECTIONS[name]())}\n`);
