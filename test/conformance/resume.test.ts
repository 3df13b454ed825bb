/** A run that was stopped and resumed through a checkpoint is the unbroken run, bit for bit. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadCheckpoint } from '../../src/checkpoint/load-checkpoint.ts';
import { Algorithm } from '../../src/index.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { optionPaths } from './shared-options.ts';
import { names, runOut, subjectOf } from './subject.ts';

describe.each(names)('%s', async (name) => {
  const subject = await subjectOf(name);

  const remembers = optionPaths(subject.definition).includes('training.checkpointReplay');
  test.runIf(remembers)(
    'without the replay buffer it collects until there is a batch, then learns on',
    async () => {
      const { values } = subject.settings;
      const small = { training: { checkpointReplay: false, stepsPerIteration: 1, learningStarts: 60 } };
      const first = await subject.build(values, { envRunners: { numEnvRunners: 0 } }, small);
      for (let k = 0; k < 12; k++) await first.train();
      const path = await first.save(join(temporaryFolder(), 'saved'));
      await first.stop();
      const resumed = await Algorithm.fromCheckpoint(path, {}, { trust: true });
      const sizes = [];
      for (let k = 0; k < 6; k++) {
        const { metrics } = await resumed.train();
        sizes.push([metrics['replay/size'], (metrics['train/numUpdates'] ?? 0) > 0]);
      }
      await resumed.stop();
      expect(sizes[0]).toEqual([15, false]); // 5 environments x 3 steps, and a batch has 20 rows
      expect(sizes[5]).toEqual([90, true]);
    },
  );

  test('cut anywhere, also with another number of workers, and in a run that had gone on', async () => {
    const folder = temporaryFolder();
    const first = await subject.build(subject.settings.values, { envRunners: { numEnvRunners: 1 } });
    const paths: string[] = [];
    for (let k = 1; k <= 4; k++) {
      await first.train();
      if (k === 1 || k === 3) paths.push(await first.save(join(folder, `${k}`)));
    }
    await first.setState((await loadCheckpoint(paths[1])).content);
    const expected = await runOut(first, 3); // to the 6th

    for (const [numEnvRunners, cut] of [
      [0, 0],
      [2, 1],
    ]) {
      const resumed = await Algorithm.fromCheckpoint(
        paths[cut],
        { envRunners: { numEnvRunners } },
        { trust: true },
      );
      if (cut === 0) for (let k = 0; k < 2; k++) await resumed.train();
      expect(resumed.iteration).toBe(3);
      expect(await runOut(resumed, 3)).toEqual(expected);
    }
    const unbroken = await subject.build(subject.settings.values, { envRunners: { numEnvRunners: 0 } });
    for (let k = 0; k < 3; k++) await unbroken.train();
    expect(await runOut(unbroken, 3)).toEqual(expected);
    expect(await runOut(await Algorithm.fromCheckpoint(paths[1], {}, { trust: true }), 4)).not.toEqual(
      expected,
    ); // or this could not fail
  });
});
