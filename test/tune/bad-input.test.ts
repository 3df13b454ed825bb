/** What goes wrong while a study runs costs a trial at most, and is said by name. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { resumeStudy } from '../../src/index.ts';
import { operant } from '../cli/run-in-process.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const SMALL = [
  ...['--num-envs', '1', '--rollout-length', '32', '--minibatch-size', '32', '--trial-steps', '32'],
  ...['--searcher', 'grid', '--final-seeds', '0', '--parallel', '1'],
];
const space = (...values: number[]) => ['--space', JSON.stringify({ learningRate: { choice: values } })];

it('a metric that never appears ends the study after three trials, which count once its name is mended', async () => {
  const out = join(temporaryFolder(), 'study');
  const tune = await operant(
    ...['tune', '--env', 'CartPole', '--no-tuned', ...SMALL, ...space(0.001, 0.002, 0.003, 0.004)],
    ...['--metric', 'train/policyLos', '--out', out],
  );
  expect([tune.exitCode, tune.stderr]).toEqual([
    2,
    expect.stringMatching(
      /first 3 runs have no `train\/policyLos`\. Did you mean `train\/policyLoss`\? There are: .*--metric NAME/,
    ),
  ]);
  expect(readdirSync(join(out, 'trials'))).toEqual(['0000', '0001', '0002']);
  const log = (number: number) =>
    readFileSync(join(out, 'trials', `000${number}`, 'seed-0', 'progress.jsonl'), 'utf8');
  const logs = [0, 1, 2].map(log);

  const directions = () =>
    JSON.parse(readFileSync(join(out, 'journal.log'), 'utf8').split('\n')[0]).directions;
  expect(directions()).toEqual([2]);
  const mended = ['--metric', 'train/policyLoss', '--mode', 'min', '--parallel', '1'];
  const resumed = await operant('tune', '--resume', out, ...mended);
  expect([resumed.exitCode, directions()]).toEqual([0, [1]]);
  expect([0, 1, 2].map(log)).toEqual(logs); // scored as they are, not trained again
  const scores = [0, 1, 2, 3].map((number) => JSON.parse(log(number))['train/policyLoss'] as number);
  const report = readFileSync(join(out, 'report.md'), 'utf8');
  expect(report).toMatch(/4 trials .*: 4 complete/);
  for (const score of scores) expect(report).toContain(`| ${Number(score.toPrecision(5))} |`);
  const best = scores.indexOf(Math.min(...scores));
  expect(resumed.stdout).toContain(`best: trial ${best}, score`);
  const turned = await operant('tune', '--resume', out, '--mode', 'max');
  expect([turned.exitCode, turned.stderr, directions()]).toEqual([
    2,
    expect.stringMatching(/scores, and .* took less to be better: leave --mode \(`mode`, max\) out/),
    [1],
  ]);
  const kept = await operant('tune', '--resume', out, '--metric', 'train/entropy');
  expect([kept.exitCode, kept.stderr]).toEqual([
    2,
    expect.stringMatching(/has scores of `train\/policyLoss`/),
  ]);
  const settings = readFileSync(join(out, 'study.json'), 'utf8');
  const unsaid: object = { numTrials: undefined, finalSeeds: undefined, metric: undefined };
  expect((await resumeStudy(out, unsaid)).trials).toHaveLength(4);
  expect(readFileSync(join(out, 'study.json'), 'utf8')).toBe(settings);

  // the journal of a study of other options is not taken for this one's
  const journal = join(out, 'journal.log');
  writeFileSync(journal, readFileSync(journal, 'utf8').replaceAll('learningRate', 'gamma'));
  const other = await operant('tune', '--resume', out);
  expect(other.stderr).toMatch(/Line 3 of `journal.log` is not one .*`gamma` is not in the search space/);
  const again = await operant('tune', '--env', 'CartPole', ...SMALL, ...space(0.002), '--out', out);
  expect([again.exitCode, again.stderr]).toEqual([2, expect.stringMatching(/holds a study already/)]);
}, 240_000);

it('a folder with a study.json of something else is no study', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'study.json'), '{}');
  const tune = await operant('tune', '--resume', folder);
  expect([tune.exitCode, tune.stderr]).toEqual([
    2,
    expect.stringMatching(/is not a study's folder: its `study.json` says no format/),
  ]);
});

it('a trial that never reports is killed, and says so', async () => {
  const folder = temporaryFolder();
  const env = join(folder, 'env.mjs');
  writeFileSync(
    env,
    `import { Box, Discrete } from ${JSON.stringify(new URL('../../src/index.ts', import.meta.url).href)};
     export default () => ({
       observationSpace: new Box(-1, 1, [1]), actionSpace: new Discrete(2),
       reset: () => ({ observation: [0] }),
       step: () => { for (;;); },
     });`,
  );
  const out = join(folder, 'study');
  const tune = await operant(
    ...['tune', '--env', env, ...SMALL, ...space(0.001), '--silence-seconds', '1'],
    ...['--max-retries', '0', '--out', out],
  );
  expect(tune.exitCode).toBe(1);
  expect(readFileSync(join(out, 'report.md'), 'utf8')).toMatch(/failed: it reported nothing for 1 s/);
}, 120_000);
