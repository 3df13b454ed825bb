/**
 * `npm run bench:tune`: searchers beside Optuna's, schedulers and PBT on a task.
 *
 * `-- --only searchers,studies,pbt` picks sections; `--studies 5` says of how many studies; `--python PATH` names a Python with optuna.
 */
import { option } from './harness.ts';
import { describeMachine, machineLine } from './machine.ts';
import { type Section, sectionText } from './tune/report.ts';
import { compareSearchers } from './tune/searchers.ts';
import { comparePbt, compareStudies } from './tune/studies.ts';

const numStudies = Number(option('studies', '5'));
const SECTIONS: Readonly<Record<string, () => Section | Promise<Section>>> = {
  searchers: () => compareSearchers(option('python', 'python3')),
  studies: () => compareStudies(numStudies),
  pbt: () => comparePbt(numStudies),
};

const names = option('only', Object.keys(SECTIONS).join(',')).split(',');
process.stdout.write(`# Tuning\n\n${machineLine(describeMachine())}\n`);
for (const name of names) process.stdout.write(`\n${sectionText(await SECTIONS[name]())}\n`);
