/** What an algorithm with a replay buffer is given by mistake, from the command line: one clear error, and nothing is lost or left behind. */
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { DQNConfig, SACConfig } from '../../src/index.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { operant } from './run-in-process.ts';

const ENVS = fileURLToPath(new URL('./fixtures/refused-envs.ts', import.meta.url));
const MEMORY =
  /^error: The replay buffer of 1,000,000,000 transitions takes \d+\.\d GB.*has .* available\. Lower replayCapacity to \d+, /;
const UNBOUNDED =
  /^error: sac scales actions .* must be finite, got Box\(1\) f32 \[-inf, inf\]\. Bound the space/;

describe('refused before anything starts', () => {
  it.each([
    ['a buffer that does not fit memory', `dqn --env ${ENVS}#large --replay-capacity 1000000000`, MEMORY],
    [
      'a batch larger than what was collected',
      'dqn --env CartPole-v1 --no-tuned --batch-size 500 --learning-starts 100',
      /^error: batchSize \(500\) must not exceed the 104 steps .*raise learningStarts \(100\), or lower batchSize/,
    ],
    [
      'continuous actions for DQN',
      'dqn --env Pendulum-v1',
      /^error: dqn is for a choice .*got Box\(1\).*Use sac/,
    ],
    ['unbounded actions for SAC', `sac --env ${ENVS}#unbounded`, UNBOUNDED],
    [
      'C51 without a range',
      'dqn --env CartPole-v1 --distribution c51',
      /^error: distribution \(c51\) needs minReturn and maxReturn/,
    ],
    [
      'a wrong exponent',
      'dqn --env CartPole-v1 --prioritised --priority-exponent 1.5',
      /^error: Expected `priorityExponent` to be a number in \[0, 1\], got `1.5`/,
    ],
    [
      'a wrong exponent against the bias',
      'dqn --env CartPole-v1 --prioritised --importance-exponent linear:0.4:1.5',
      /^error: Expected `importanceExponent` to be a number in \[0, 1\], or a schedule of such.*"to":1.5/,
    ],
  ])('%s', async (_, line, message) => {
    const out = join(temporaryFolder(), 'run');
    const { exitCode, stdout, stderr } = await operant('train', '--algo', ...line.split(' '), '--out', out);
    expect([exitCode, stdout, stderr.match(/error:/g)?.length]).toEqual([2, '', 1]);
    expect(stderr).toMatch(message);
    expect(existsSync(out)).toBe(false);
  });

  it('by the builder, too', async () => {
    const large = new DQNConfig().environment(`${ENVS}#large`).training({ replayCapacity: 1e9 });
    await expect(large.build()).rejects.toMatchObject({ code: 'CONFIG_REPLAY_MEMORY' });
    const unbounded = new SACConfig().environment(`${ENVS}#unbounded`);
    await expect(unbounded.build()).rejects.toMatchObject({ code: 'CONFIG_ACTION_SPACE' });
  });
});

describe('a run that cannot go on exactly', () => {
  const SMALL =
    'dqn --env CartPole-v1 --no-tuned --num-env-runners 0 --num-envs 2 --learning-starts 64 --batch-size 16 --hidden-sizes 8 ' +
    '--steps-per-iteration 128 --replay-capacity 256 --checkpoint-every 1 --stop-iterations 3 --quiet';
  async function train(...more: string[]): Promise<string> {
    const out = join(temporaryFolder(), 'run');
    const { exitCode, stderr } = await operant('train', '--algo', ...SMALL.split(' '), '--out', out, ...more);
    expect([exitCode, stderr]).toEqual([0, '']);
    return out;
  }
  /** Every file of a folder with its bytes. */
  const filesOf = (folder: string) =>
    (readdirSync(folder, { recursive: true }) as string[])
      .filter((name) => statSync(join(folder, name)).isFile())
      .map((name) => [name, readFileSync(join(folder, name), 'hex')]);
  async function expectRefused(run: string, message: RegExp, ...more: string[]): Promise<void> {
    const before = filesOf(run);
    const { exitCode, stderr } = await operant(
      'train',
      '--resume',
      run,
      '--stop-iterations',
      '5',
      '--quiet',
      ...more,
    );
    expect([exitCode, stderr.match(/error:/g)?.length]).toEqual([1, 1]);
    expect(stderr).toMatch(message);
    expect(filesOf(run)).toEqual(before);
  }

  it('since its checkpoint has no replay buffer, and one is asked for', async () => {
    const run = await train('--no-checkpoint-replay');
    await expectRefused(run, /without its replay buffer .*begin with an empty buffer/, '--checkpoint-replay');
    const { exitCode, stdout } = await operant('train', '--resume', run, '--stop-iterations', '4', '--json');
    expect([exitCode, stdout.includes('"replay/size":128')]).toEqual([0, true]); // begins with an empty one
  });

  it('since a segment is missing or damaged; an earlier checkpoint goes on', async () => {
    const run = await train();
    const newest = readdirSync(join(run, 'segments')).sort().at(-1) as string;
    const damaged = join(temporaryFolder(), 'damaged');
    await cp(run, damaged, { recursive: true });
    const path = join(damaged, 'segments', newest);
    const bytes = readFileSync(path);
    bytes[bytes.length - 5] ^= 1;
    writeFileSync(path, bytes);
    rmSync(join(run, 'segments', newest));
    await expectRefused(
      run,
      new RegExp(`needs .*${newest}.*which is not there\\. .*copy the whole run folder`),
    );
    await expectRefused(
      damaged,
      new RegExp(`${newest}. is damaged: .*Use a checkpoint that does not name it`),
    );
    for (const folder of [run, damaged]) {
      const from = join(folder, 'checkpoints', '000001');
      const { exitCode, stderr } = await operant(
        'train',
        '--resume',
        from,
        '--stop-iterations',
        '3',
        '--quiet',
      );
      expect([exitCode, stderr.includes('error')]).toEqual([0, false]);
      // The segment is written anew, as it was.
      expect(existsSync(join(folder, 'segments', newest))).toBe(true);
      const resumed = await operant('train', '--resume', folder, '--stop-iterations', '4', '--quiet');
      expect(resumed.exitCode).toBe(0);
    }
  });
});
