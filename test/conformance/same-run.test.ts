/**
 * The same seed gives the same run, bit for bit, for any number of workers, whatever the threads do and whoever dies: 0, 3 and 6 of them here,
 * 0, 1 and 2 in `resume.test.ts`. By what is tried, and then by algorithm: as many workers again, and threads serve again.
 */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../temporary-folder.ts';
import { keepingNothing, names, probe, runOut, subjectOf, type Values } from './subject.ts';

const ITERATIONS = 4;
const workers = (numEnvRunners: number) => ({
  envRunners: { numEnvRunners, numEnvs: 7 }, // six workers: one has two environments
  debugging: { poison: true },
});

const subjects = (await Promise.all(names.map(subjectOf))).map((subject) => {
  const build = (...values: Values[]) => subject.build(subject.settings.values, keepingNothing, ...values);
  const undisturbed = build(workers(0)).then((algorithm) => runOut(algorithm, ITERATIONS));
  return [subject.name, { subject, build, undisturbed }] as const;
});

describe('another seed gives another run, or nothing here could fail', () => {
  test.each(subjects)('%s', async (_, { build, undisturbed }) => {
    const other = await build(workers(0), { debugging: { seed: 22 } });
    expect(await runOut(other, ITERATIONS)).not.toEqual(await undisturbed);
  });
});

describe('six workers, each step of which takes as long as it likes', () => {
  test.each(subjects)('%s', async (_, { subject, build, undisturbed }) => {
    const algorithm = await build(workers(6), probe(subject, { busyMs: 0.2 }));
    expect(await runOut(algorithm, ITERATIONS)).toEqual(await undisturbed);
  });
});

describe('three workers, one of which dies in the middle of its rollout', () => {
  test.each(subjects)('%s', async (_, { subject, build, undisturbed }) => {
    const exitFile = join(temporaryFolder(), 'exit');
    const algorithm = await build(workers(3), probe(subject, { exitFile }));
    const failures: unknown[] = [];
    const { train } = algorithm;
    algorithm.train = async () => {
      const result = await train();
      failures.push(...(result.workerFailures ?? []));
      return result;
    };
    expect(await runOut(algorithm, ITERATIONS)).toEqual(await undisturbed);
    expect(failures).toMatchObject([{ isRecovered: true }]);
  });
});
