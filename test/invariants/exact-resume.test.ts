/** A run that was stopped and resumed is the unbroken run, bit for bit. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadCheckpoint } from '../../src/checkpoint/load-checkpoint.ts';
import { Algorithm, PPOConfig } from '../../src/index.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { comparable } from './run-content.ts';

/** Small, but with everything that has a state: normalisers, schedules, evaluation, a window. */
function configFor(env: string, numEnvRunners: number) {
  return new PPOConfig()
    .environment(env)
    .envRunners({
      numEnvRunners,
      numEnvs: 5,
      rolloutLength: 48,
      normalizeObservations: true,
      normalizeRewards: true,
    })
    .training({
      numEpochs: 2,
      minibatchSize: 60,
      learningRate: { schedule: 'linear', from: 1e-3, to: 1e-5 },
      scheduleSteps: 3000,
    })
    .evaluation({ evaluationInterval: 3, evaluationEpisodes: 2 })
    .debugging({ seed: 11, poison: true });
}

/** Trains; states after those iterations for which `at` holds. */
async function trainTo(
  algorithm: Algorithm,
  numIterations: number,
  at: readonly number[],
): Promise<Map<number, object>> {
  const states = new Map<number, object>();
  while (algorithm.iteration < numIterations) {
    await algorithm.train();
    if (at.includes(algorithm.iteration))
      states.set(algorithm.iteration, comparable(await algorithm.getState()));
  }
  return states;
}

describe.each(['CartPole-v1', 'Pendulum-v1'])('%s', (env) => {
  test('cut anywhere and resumed through a checkpoint, also with another number of workers', async () => {
    const folder = temporaryFolder();
    const unbroken = await configFor(env, 2).build();
    const paths: string[] = [];
    for (const cut of [1, 4, 6]) {
      await trainTo(unbroken, cut, []);
      paths.push(await unbroken.save(join(folder, `${cut}`)));
    }
    const expected = await trainTo(unbroken, 8, [7, 8]);
    // Were all states alike, this test could not fail.
    expect(expected.get(7)).not.toEqual(expected.get(8));

    const inProcess = await Algorithm.fromCheckpoint(paths[0], { envRunners: { numEnvRunners: 0 } });
    expect(await trainTo(inProcess, 8, [7, 8])).toEqual(expected);
    await inProcess.stop();

    const withThree = await Algorithm.fromCheckpoint(paths[1], { envRunners: { numEnvRunners: 3 } });
    expect(await trainTo(withThree, 8, [7, 8])).toEqual(expected);
    await withThree.stop();

    await unbroken.setState((await loadCheckpoint(paths[2])).content);
    expect(await trainTo(unbroken, 8, [7, 8])).toEqual(expected);
    await unbroken.stop();
  });
});
