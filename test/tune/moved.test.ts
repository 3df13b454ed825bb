/** A study that names files by relative paths, gone on with from another folder. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { operant } from '../cli/run-in-process.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const INDEX = JSON.stringify(new URL('../../src/index.ts', import.meta.url).href);
const SPACE = ['--space', '{"learningRate":{"choice":[0.001,0.002]}}', '--searcher', 'grid'];

it('finds its environment and its algorithm beside it, and goes on with an algorithm that is no name of ours', async () => {
  const home = temporaryFolder();
  const elsewhere = join(home, 'elsewhere', 'deep');
  mkdirSync(elsewhere, { recursive: true });
  writeFileSync(
    join(home, 'env.mjs'),
    `import { Box, Discrete } from ${INDEX};
     export default () => {
       let t = 0;
       return {
         observationSpace: new Box(-1, 1, [1]), actionSpace: new Discrete(2),
         reset: () => { t = 0; return { observation: [0] }; },
         step: () => { t += 1; return { observation: [0], reward: 1, terminated: t === 5, truncated: false }; },
       };
     };`,
  );
  const reinforce = new URL('../../examples/reinforce/reinforce.ts', import.meta.url).href;
  writeFileSync(join(home, 'mine.mjs'), `export { reinforce as mine } from ${JSON.stringify(reinforce)};`);
  const run = (cwd: string, ...args: string[]) =>
    spawnSync(process.execPath, ['--import', import.meta.resolve('tsx'), MAIN, 'tune', ...args, '--quiet'], {
      cwd,
      encoding: 'utf8',
    });
  const small = ['--num-envs', '1', '--rollout-length', '32'];
  const asha = ['--scheduler', 'asha', '--grace-period', '32', '--trial-steps', '64', '--final-seeds', '0'];
  const begun = run(
    home,
    ...['--env', './env.mjs', '--algo', './mine.mjs#mine', '--num-trials', '1', '--out', 'study'],
    ...SPACE,
    ...small,
    ...asha,
  );
  expect([begun.stderr, begun.status]).toEqual(['', 0]);
  const resumed = run(elsewhere, '--resume', join(home, 'study'), '--num-trials', '2', '--trust');
  expect([resumed.stderr, resumed.status]).toEqual(['', 0]);
  expect(readFileSync(join(home, 'study', 'report.md'), 'utf8')).toContain('2 complete, 0 stopped, 0 failed');
}, 120_000);

it('an environment that is not there is refused before anything runs', async () => {
  const out = join(temporaryFolder(), 'study');
  const tune = await operant('tune', '--env', 'CartPol', ...SPACE, '--trial-steps', '9', '--out', out);
  expect(tune.exitCode).toBe(2);
  expect(tune.stderr).toMatch(/Did you mean CartPole-v1/);
});
