/** What becomes of trials whose processes fail. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { uniform } from '../../src/config/search-space.ts';
import { Tuner } from '../../src/index.ts';
import { runTrials } from '../../src/tune/run-trials.ts';
import { createAsha } from '../../src/tune/schedulers/asha.ts';
import { stopByRule } from '../../src/tune/schedulers/scheduler.ts';
import { randomSearcher } from '../../src/tune/searchers/random.ts';
import { createStudy } from '../../src/tune/study.ts';
import { trainFolder } from '../../src/tune/train-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'operant-trials-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('a trial that crashes costs one trial and says why; values that do not go together are none', async () => {
  const env = join(folder, 'env.mjs');
  // ends its own process once, when the width is 8
  writeFileSync(
    env,
    `import { existsSync, writeFileSync } from 'node:fs';
     import { Box, Discrete } from ${JSON.stringify(new URL('../../src/index.ts', import.meta.url).href)};
     const mark = ${JSON.stringify(join(folder, 'mark'))};
     export default ({ dies }) => {
       let t = 0;
       return {
         observationSpace: new Box(-1, 1, [1]), actionSpace: new Discrete(2),
         reset: () => { t = 0; return { observation: [0] }; },
         step: () => {
           if (dies !== 'never' && (dies === 'always' || !existsSync(mark))) { writeFileSync(mark, ''); process.kill(process.pid, 'SIGKILL'); }
           t += 1;
           return { observation: [0], reward: 1, terminated: t === 5, truncated: false };
         },
       };
     };`,
  );
  const options = ['never', 'once', 'always'].map((dies) => ({ dies }));
  const { trials, best } = await new Tuner({
    algorithm: 'ppo',
    config: {
      environment: { env },
      envRunners: { numEnvs: 1, rolloutLength: 32 },
      training: { minibatchSize: 32 },
    },
    space: { envOptions: { choice: options }, minibatchSize: { choice: [32, 64] } },
    searcher: 'grid',
    trialSteps: 32,
    finalSeeds: 0,
    maxRetries: 1,
    parallel: 2,
    out: join(folder, 'study'),
  }).fit();
  const ends = trials.map(({ state, score }) => [state, score]);
  expect(ends[0]).toEqual(['complete', 5]);
  expect(ends[1]).toEqual(['complete', 5]);
  expect(trials[2]).toMatchObject({ state: 'failed', reason: expect.stringMatching(/SIGKILL/) });
  expect(trials.map(({ values }) => values.minibatchSize)).toEqual([32, 32, 32]); // 64 is more than a rollout has
  expect(best?.number).toBe(0);
  const report = readFileSync(join(folder, 'study', 'report.md'), 'utf8');
  expect(report).toMatch(/3 combinations more are in the grid, which ppo refuses/);
}, 300_000);

it('tells of a trial that is stopped when nothing is left to run', async () => {
  const rules = {
    ...{ space: { gamma: uniform(0, 1) }, seed: 0, searcher: randomSearcher, numTrials: 2, seedsPerTrial: 1 },
    ...{ trialSteps: 4, numSlots: 2, budgetSteps: null },
    scheduler: stopByRule(createAsha({ numSteps: 4, gracePeriod: 2, reductionFactor: 2 })),
  };
  const study = createStudy(rules, () => undefined);
  study.replay({ type: 'created', number: 0, values: { gamma: 0 } });
  study.replay({ type: 'created', number: 1, values: { gamma: 1 } });
  study.replay({ type: 'scored', number: 0, numSteps: 2, score: 9 });
  study.replay({ type: 'ended', number: 0, state: 'failed', reason: null });
  study.replay({ type: 'scored', number: 1, numSteps: 2, score: 1 });
  let states: string[] = [];
  await runTrials(study, {
    train: trainFolder,
    ...{ folder, seed: 0, algorithm: 'ppo', metric: 'episodeReturnMean', mode: 'max', parallel: 1 },
    ...{
      maxRetries: 0,
      silenceSeconds: 60,
      trust: false,
      keepsSnapshots: false,
      signal: new AbortController().signal,
      configOf: () => ({}),
    },
    onChange: ({ trials }) => {
      states = trials.map(({ state }) => state);
    },
  });
  expect(states).toEqual(['failed', 'stopped']);
});
