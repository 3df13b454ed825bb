/**
 * The same seed gives the same run, bit for bit, for any number of workers, whatever the threads do and whoever dies: 0, 3 and 6 of them here,
 * 0, 1 and 2 in `resume.test.ts`.
 */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../temporary-folder.ts';
import { names, probe, runOut, subjectOf } from './subject.ts';

const ITERATIONS = 4;
const workers = (numEnvRunners: number) => ({
  envRunners: { numEnvRunners, numEnvs: 7 }, // six workers: one has two environments
  debugging: { poison: true },
});

describe.each(names)('%s', async (name) => {
  const subject = await subjectOf(name);
  const { values } = subject.settings;
  const undisturbed = subject.build(values, workers(0)).then((algorithm) => runOut(algorithm, ITERATIONS));

  test('another seed gives another run, or nothing here could fail', async () => {
    const other = await subject.build(values, workers(0), { debugging: { seed: 22 } });
    expect(await runOut(other, ITERATIONS)).not.toEqual(await undisturbed);
  });

  test('six workers, each step of which takes as long as it likes', async () => {
    const algorithm = await subject.build(values, workers(6), probe(subject, { busyMs: 0.2 }));
    expect(await runOut(algorithm, ITERATIONS)).toEqual(await undisturbed);
  });

  test('three workers, one of which dies in the middle of its rollout', async () => {
    const exitFile = join(temporaryFolder(), 'exit');
    const algorithm = await subject.build(values, workers(3), probe(subject, { exitFile }));
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
