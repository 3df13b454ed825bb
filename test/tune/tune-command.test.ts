/** Studies as processes: the same for any number side by side, and after a kill of the one that drives them. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'operant-tune-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const argumentsOf = (...args: string[]) => ['--import', 'tsx', MAIN, ...args];
function operant(...args: string[]) {
  return spawnSync(process.execPath, argumentsOf(...args), { encoding: 'utf8' });
}

const SPACE = '{"learningRate":{"logUniform":[1e-4,1e-2]},"numEpochs":{"choice":[1,2]}}';
const STUDY = [
  ...[
    'tune',
    '--env',
    'CartPole',
    '--space',
    SPACE,
    '--num-trials',
    '3',
    '--trial-steps',
    '1024',
    '--grace-period',
    '512',
  ],
  ...['--scheduler', 'asha', '--reduction-factor', '2', '--suggestion-lag', '1', '--final-seeds', '1'],
];
/** Trials in a table, and the number of the best on a new seed; no times. */
const report = (study: string) => readFileSync(join(study, 'report.md'), 'utf8');

describe('operant tune', () => {
  const alone = join(folder, 'alone');
  let stdout = '';
  beforeAll(() => {
    const run = operant(...STUDY, '--parallel', '1', '--json', '--out', alone);
    expect(run.stderr).not.toMatch(/error/);
    stdout = run.stdout;
  }, 300_000);

  it('runs trials, writes the best config down and tries it on a seed of its own', () => {
    const rows = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(rows.filter(({ type }) => type === 'trial')).toHaveLength(3);
    const { type, best, final, bestConfig } = rows.at(-1);
    expect(type).toBe('study');
    expect(final.mean).toBeGreaterThan(8);
    const config = JSON.parse(readFileSync(bestConfig, 'utf8'));
    expect(config).toMatchObject({
      algorithm: 'ppo',
      tuned: false,
      training: best.values,
      stopping: { stopSteps: 1024, stopReturn: null },
    });
    expect(report(alone)).toContain(`Best: trial ${best.number}`);
  });

  it('is the same study with two at a time, killed after its first result, and resumed with the end of its journal torn off', async () => {
    const killed = join(folder, 'killed');
    const journal = join(killed, 'journal.log');
    const driver = spawn(process.execPath, argumentsOf(...STUDY, '--parallel', '2', '--out', killed), {
      stdio: 'ignore',
    });
    const hasResult = () => existsSync(journal) && readFileSync(journal, 'utf8').includes('"op_code":7');
    while (!hasResult() && driver.exitCode === null) await sleep(20);
    driver.kill('SIGKILL');
    await new Promise((resolve) => driver.once('exit', resolve));
    truncateSync(journal, readFileSync(journal).length - 7);
    const resumed = operant('tune', '--resume', killed, '--parallel', '2', '--quiet');
    expect(resumed.stderr).toBe('');
    expect(report(killed)).toBe(report(alone));
  }, 300_000);

  it('goes on with more trials, and takes nothing else', () => {
    const more = operant('tune', '--resume', alone, '--num-trials', '4', '--final-seeds', '0', '--quiet');
    expect(more.status).toBe(0);
    expect(report(alone)).toContain('4 trials of 1024');
    expect(JSON.parse(readFileSync(join(alone, 'study.json'), 'utf8'))).toMatchObject({
      numTrials: 4,
      finalSeeds: 0,
    });
    const other = operant('tune', '--resume', alone, '--searcher', 'random');
    expect(other.status).toBe(2);
    expect(other.stderr).toMatch(/A study keeps its settings.*--searcher/);
  });
});

describe('a study that cannot be', () => {
  const code = (...args: string[]) => {
    const { stdout, status } = operant('tune', '--json', ...args);
    return [status, JSON.parse(stdout.trim().split('\n').at(-1) as string).code];
  };

  it('says so before anything runs', () => {
    const out = ['--out', join(folder, 'never'), '--env', 'CartPole'];
    expect(code('--space', '{"gama":{"uniform":[0,1]}}', ...out)).toEqual([2, 'CONFIG_UNKNOWN']);
    expect(code('--space', join(folder, 'none.json'), ...out)).toEqual([2, 'CONFIG_SPACE']);
    expect(code('--space', SPACE, '--num-trials', '0', ...out)).toEqual([2, 'CONFIG_RANGE']);
    expect(code('--space', SPACE, '--parallel', '1.5', ...out)).toEqual([2, 'CONFIG_STUDY']);
    expect(existsSync(out[1])).toBe(false);
    writeFileSync(join(folder, 'study.json'), '{"format":9}');
    expect(code('--resume', folder)).toEqual([1, 'CHECKPOINT_VERSION']);
  });
});
