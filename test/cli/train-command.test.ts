import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { loadCheckpoint } from '../../src/checkpoint/load-checkpoint.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { countThreads, operant } from './run-in-process.ts';

const ENVS = fileURLToPath(new URL('./fixtures/bad-envs.ts', import.meta.url));
/** A small run: 64 samples an iteration. */
const SMALL = [
  '--num-envs',
  '4',
  '--rollout-length',
  '16',
  '--num-epochs',
  '2',
  '--minibatch-size',
  '32',
  '--hidden-sizes',
  '8',
];
const train = (...argv: string[]) => operant('train', '--no-tuned', ...SMALL, ...argv);

/** Every file below a folder with a hash of its bytes. */
function snapshot(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(join(folder, name)).isFile(),
  );
  const hash = (name: string) =>
    createHash('sha256')
      .update(readFileSync(join(folder, name)))
      .digest('hex');
  return Object.fromEntries(files.sort().map((name) => [name, hash(name)]));
}

/** What was learnt: the metrics of every iteration without clocks. */
function learnt(runDir: string): unknown[] {
  const lines = readFileSync(join(runDir, 'progress.jsonl'), 'utf8').trimEnd().split('\n');
  return lines.map((line) => {
    const row = Object.entries(JSON.parse(line) as Record<string, unknown>);
    return Object.fromEntries(
      row.filter(([key]) => !key.startsWith('time/') && key !== 'seconds' && key !== 'timestamp'),
    );
  });
}

async function weightsOf(path: string): Promise<string> {
  const { content } = await loadCheckpoint(path);
  return JSON.stringify(content.tensors['policies/default/weights.safetensors'], (_, value) =>
    ArrayBuffer.isView(value)
      ? Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')
      : value,
  );
}

describe('train', () => {
  it('writes an object per iteration and a summary with --json, people on stderr', async () => {
    const out = join(temporaryFolder(), 'run');
    const result = await train('--env', 'CartPole', '--stop-iterations', '3', '--out', out, '--json');
    expect(result.exitCode).toBe(0);
    const lines = result.json();
    expect(lines.map(({ type, iteration }) => [type, iteration])).toEqual([
      ['iteration', 1],
      ['iteration', 2],
      ['iteration', 3],
      ['summary', undefined],
    ]);
    expect(lines[1]).toMatchObject({ numEnvSteps: 128, metrics: { 'train/learningRate': 3e-4 } });
    expect(lines[3]).toMatchObject({ stopReason: 'stopIterations', numEnvSteps: 192, runDir: out });
    expect(lines[3].checkpoint).toBe(join(out, 'checkpoints', '000003'));
    expect(Object.keys(lines[3])).toEqual(
      expect.arrayContaining(['seconds', 'episodeReturnMean', 'checkpoint', 'runDir']),
    );
    expect(result.stderr).toContain('ppo on CartPole-v1');
  });

  it('leaves a run folder that can be read', async () => {
    const out = join(temporaryFolder(), 'run');
    expect(
      (await train('--env', 'CartPole', '--stop-iterations', '2', '--out', out, '--quiet')).exitCode,
    ).toBe(0);
    const names = readdirSync(out).map((name) => name.replace(/^events\.out.*/, 'events'));
    expect(names.sort()).toEqual([
      'checkpoints',
      'config.json',
      'curves.svg',
      'events',
      'latest',
      'progress.csv',
      'progress.jsonl',
    ]);
    const config = JSON.parse(readFileSync(join(out, 'config.json'), 'utf8'));
    expect(config).toMatchObject({
      algorithm: 'ppo',
      envRunners: { numEnvs: 4 },
      training: { hiddenSizes: [8] },
    });
    expect(learnt(out)).toHaveLength(2);
  });

  it('writes what the options say', async () => {
    const out = join(temporaryFolder(), 'run');
    const flags = ['--no-tensorboard', '--no-csv', '--checkpoint-every', '1', '--keep-checkpoints', '2'];
    await train('--env', 'CartPole', '--stop-iterations', '5', '--out', out, '--quiet', ...flags);
    expect(readdirSync(out).sort()).toEqual([
      'checkpoints',
      'config.json',
      'curves.svg',
      'latest',
      'progress.jsonl',
    ]);
    expect(readdirSync(join(out, 'checkpoints'))).toEqual(['000004', '000005']);
  });

  it('says two lines of what it runs, progress and a table; nothing with --quiet', async () => {
    const folder = temporaryFolder();
    const loud = await train('--env', 'CartPole', '--stop-iterations', '2', '--out', join(folder, 'a'));
    expect(loud.stdout.split('\n').slice(0, 2).join('\n')).toMatch(/^ppo on CartPole-v1: .*\nengine simd/);
    expect(loud.stdout).toContain('iteration 1  64 steps');
    expect(loud.stdout).toMatch(/stopped by +stopIterations/);
    const quiet = await train(
      '--env',
      'CartPole',
      '--stop-iterations',
      '2',
      '--out',
      join(folder, 'b'),
      '--quiet',
    );
    expect([quiet.stdout, quiet.stderr]).toEqual(['', '']);
  });

  it('gives the same run for any number of workers', async () => {
    const folder = temporaryFolder();
    for (const count of ['0', '1', '3']) {
      const out = join(folder, count);
      await train(
        '--env',
        'CartPole',
        '--stop-iterations',
        '3',
        '--out',
        out,
        '--num-env-runners',
        count,
        '--quiet',
      );
    }
    const [none, one, three] = ['0', '1', '3'].map((count) => learnt(join(folder, count)));
    expect(one).toEqual(none);
    expect(three).toEqual(none);
    expect(await weightsOf(join(folder, '3'))).toBe(await weightsOf(join(folder, '0')));
  });

  it("reads config files: JSON, a run's own config.json, a module with an object, one with a builder", async () => {
    const folder = temporaryFolder();
    const index = fileURLToPath(new URL('../../src/index.ts', import.meta.url));
    const values = `{ environment: { env: 'CartPole' }, training: { gamma: 0.5, numEpochs: 3 } }`;
    writeFileSync(
      join(folder, 'a.json'),
      JSON.stringify({ environment: { env: 'CartPole' }, training: { gamma: 0.5, numEpochs: 3 } }),
    );
    writeFileSync(join(folder, 'b.ts'), `enum E { A } export const config = ${values};`);
    const builder = `new PPOConfig().environment('CartPole').training({ gamma: 0.5, numEpochs: 3 })`;
    const hook = `.callbacks({ onStop: () => { globalThis.operantTestStopped = true; } })`;
    writeFileSync(
      join(folder, 'c.ts'),
      `import { PPOConfig } from '${index}'; export default ${builder}${hook};`,
    );
    for (const name of ['a.json', 'b.ts', 'c.ts', 'run-a.json/config.json']) {
      const out = join(folder, `run-${name.replace('/', '-')}`);
      const flags = ['--out', out, '--stop-iterations', '1', '--gamma', '0.6', '--quiet'];
      const result = await operant('train', '--config', join(folder, name), ...flags);
      expect(result.stderr).toBe('');
      expect(JSON.parse(readFileSync(join(out, 'config.json'), 'utf8')).training).toMatchObject({
        gamma: 0.6,
        numEpochs: 3,
      });
    }
    expect(globalThis).toHaveProperty('operantTestStopped', true);
  });
});

describe('tuned defaults', () => {
  const configOf = (out: string) => JSON.parse(readFileSync(join(out, 'config.json'), 'utf8'));

  it('are where training starts from; files and flags win', async () => {
    const folder = temporaryFolder();
    const [first, second] = [join(folder, 'first'), join(folder, 'second')];
    const flags = ['--env', 'CartPole', '--stop-iterations', '1', '--num-env-runners', '0'];
    const result = await operant('train', ...flags, '--gae-lambda', '0.7', '--out', first);
    expect(result.stdout).toContain('Options from: tuned defaults of CartPole-v1, then the command line.');
    const tuned = configOf(first);
    expect([tuned.training.gamma, tuned.training.gaeLambda]).toEqual([0.98, 0.7]);
    expect(tuned.stopping.stopReturn).toBe(475);
    await operant('train', ...flags, '--no-tuned', '--out', second, '--quiet');
    expect([configOf(second).training.gamma, configOf(second).stopping.stopReturn]).toEqual([0.99, null]);
  });

  it('are in a config file only where it asks for them: it means the same in a script', async () => {
    const folder = temporaryFolder();
    const index = new URL('../../src/index.ts', import.meta.url).href;
    const small = "new PPOConfig().environment('CartPole').envRunners({ numEnvRunners: 0 })";
    const builder = (text: string) => `import { PPOConfig } from '${index}'; export default ${text};`;
    const json = { environment: { env: 'CartPole' } };
    const { PPOConfig } = await import('../../src/index.ts');
    for (const [name, text, flags, gamma] of [
      ['plain.ts', builder(small), [], 0.99],
      ['tuned.ts', builder(`${small}.tuned()`), [], 0.98],
      ['untuned.ts', builder(`${small}.tuned()`), ['--no-tuned'], 0.99],
      ['plain.json', JSON.stringify(json), [], 0.99],
      ['asked.json', JSON.stringify(json), ['--tuned'], 0.98],
      ['tuned.json', JSON.stringify({ tuned: true, ...json }), [], 0.98],
    ] as const) {
      writeFileSync(join(folder, name), text);
      const out = join(folder, `${name}-run`);
      const run = ['--stop-iterations', '1', '--num-env-runners', '0', '--out', out, '--quiet', ...flags];
      expect((await operant('train', '--config', join(folder, name), ...run)).exitCode).toBe(0);
      expect([name, configOf(out).training.gamma]).toEqual([name, gamma]);
      if (!name.endsWith('.json') || flags.length > 0) continue;
      expect([name, new PPOConfig(JSON.parse(text)).validate().training.gamma]).toEqual([name, gamma]);
    }
    const tuned = new PPOConfig(json).tuned();
    expect(new PPOConfig(tuned.toJSON()).validate()).toEqual(tuned.validate());
  });

  it('are named when they conflict with a flag', async () => {
    const { exitCode, stderr } = await operant('train', '--env', 'CartPole', '--rollout-length', '4');
    expect(exitCode).toBe(2);
    expect(stderr).toContain('The tuned defaults of CartPole-v1 are in effect; --no-tuned leaves them out.');
  });
});

describe('--resume', () => {
  it('goes on exactly, in the same folder, to the same weights as an uninterrupted run', async () => {
    const folder = temporaryFolder();
    const [whole, halves] = [join(folder, 'whole'), join(folder, 'halves')];
    await train('--env', 'CartPole', '--stop-iterations', '6', '--out', whole, '--quiet');
    await train('--env', 'CartPole', '--stop-iterations', '3', '--out', halves, '--quiet');
    const resumed = await operant('train', '--resume', halves, '--stop-iterations', '6', '--json');
    expect(resumed.exitCode).toBe(0);
    expect(resumed.json().map(({ iteration }) => iteration)).toEqual([4, 5, 6, undefined]);
    expect(learnt(halves)).toEqual(learnt(whole));
    expect(await weightsOf(halves)).toBe(await weightsOf(whole));
    expect(resumed.stderr).not.toContain('Changed on resume');
  });

  it('says what an option changes', async () => {
    const out = join(temporaryFolder(), 'run');
    await train('--env', 'CartPole', '--stop-iterations', '1', '--out', out, '--quiet');
    const resumed = await operant(
      'train',
      '--resume',
      out,
      '--stop-iterations',
      '2',
      '--gamma',
      '0.5',
      '--num-env-runners',
      '1',
    );
    expect(resumed.exitCode).toBe(0);
    expect(resumed.stdout).toContain('Changed on resume: training.gamma from 0.99 to 0.5.');
  });

  it('keeps a history of changes in config.json, and drops what it goes back behind', async () => {
    const out = join(temporaryFolder(), 'run');
    const config = () => JSON.parse(readFileSync(join(out, 'config.json'), 'utf8'));
    const common = ['--quiet', '--num-env-runners', '0', '--checkpoint-every', '1'];
    await train('--env', 'CartPole', '--stop-iterations', '1', '--out', out, ...common);
    expect(config().history).toBeUndefined();
    const resume = (from: string, ...flags: string[]) =>
      operant('train', '--resume', from, ...common, ...flags);
    const second = await resume(out, '--stop-iterations', '2', '--learning-rate', '0.01');
    expect(second.exitCode).toBe(0);
    const change = { option: 'training.learningRate', from: 3e-4, to: 0.01 };
    const stop = { option: 'stopping.stopIterations', from: 1, to: 2 };
    expect(config().history).toEqual([{ iteration: 1, changes: [stop, change] }]);
    expect(config()).toMatchObject({ training: { learningRate: 0.01 }, checkpointing: { out } });
    expect(learnt(out)).toMatchObject([{ 'train/learningRate': 3e-4 }, { 'train/learningRate': 0.01 }]);
    await resume(out, '--stop-iterations', '3');
    expect(config().history).toHaveLength(2);
    const again = await operant(
      'train',
      '--config',
      join(out, 'config.json'),
      '--out',
      `${out}-again`,
      ...common,
    );
    expect([again.exitCode, again.stderr]).toEqual([0, '']);
    await resume(join(out, 'checkpoints', '000001'), '--stop-iterations', '2');
    expect(config().history).toEqual([{ iteration: 1, changes: [stop] }]);
    expect(config().training.learningRate).toBe(3e-4);
  });

  it('refuses to change what only the beginning of a run reads', async () => {
    const out = join(temporaryFolder(), 'run');
    await train(
      '--env',
      'CartPole',
      '--stop-iterations',
      '1',
      '--out',
      out,
      '--quiet',
      '--num-env-runners',
      '0',
    );
    const before = snapshot(out);
    const result = await operant('train', '--resume', out, '--stop-iterations', '2', '--policy-gain', '1');
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain('training.policyGain: 0.01 in the checkpoint, 1 here');
    expect(snapshot(out)).toEqual(before);
  });

  it('works where the folder was moved to', async () => {
    const folder = temporaryFolder();
    await train('--env', 'CartPole', '--stop-iterations', '1', '--out', join(folder, 'here'), '--quiet');
    const { renameSync } = await import('node:fs');
    renameSync(join(folder, 'here'), join(folder, 'there'));
    const resumed = await operant(
      'train',
      '--resume',
      join(folder, 'there'),
      '--stop-iterations',
      '2',
      '--json',
    );
    expect(resumed.json().at(-1)).toMatchObject({ runDir: join(folder, 'there'), iterations: 2 });
    expect(existsSync(join(folder, 'here'))).toBe(false);
  });

  it('starts a new folder with --out and leaves the old one alone', async () => {
    const folder = temporaryFolder();
    const [first, second] = [join(folder, 'first'), join(folder, 'second')];
    await train('--env', 'CartPole', '--stop-iterations', '2', '--out', first, '--quiet');
    const before = snapshot(first);
    const checkpoint = join(first, 'checkpoints', '000002');
    const resumed = await operant(
      'train',
      '--resume',
      checkpoint,
      '--out',
      second,
      '--stop-iterations',
      '3',
      '--json',
    );
    expect(resumed.json().at(-1)).toMatchObject({ runDir: second, iterations: 3 });
    expect(snapshot(first)).toEqual(before);
  });

  it('refuses another algorithm or another environment', async () => {
    const out = join(temporaryFolder(), 'run');
    await train('--env', 'CartPole', '--stop-iterations', '1', '--out', out, '--quiet');
    const before = snapshot(out);
    const algorithm = await operant('train', '--resume', out, '--algo', 'dqn');
    expect([algorithm.exitCode, algorithm.stderr]).toEqual([
      2,
      expect.stringContaining('of algorithm ppo, not dqn'),
    ]);
    const env = await operant('train', '--resume', out, '--env', 'Pendulum');
    expect([1, 2]).toContain(env.exitCode);
    expect(env.stderr).toMatch(/CartPole|Pendulum|environment/);
    expect(snapshot(out)).toEqual(before);
  });
});

describe('bad input', () => {
  it.each<[string, string[], string]>([
    ['an unknown algorithm', ['--algo', 'pppo', '--env', 'CartPole'], 'Did you mean `ppo`?'],
    ['an unknown environment', ['--env', 'CartPoel'], 'Did you mean CartPole-v1 or'],
    ['an environment file that is not there', ['--env', './nope.ts'], 'which does not exist'],
    ['no environment', [], 'No environment: set `env`'],
    ['an unknown flag', ['--env', 'CartPole', '--lr', '1'], 'Did you mean --learning-rate?'],
    ['a wrong type', ['--env', 'CartPole', '--gamma', 'high'], 'a number in [0, 1], got `high` (string)'],
    [
      'a wrong bound',
      ['--env', 'CartPole', '--num-epochs', '0'],
      'an integer in [1, 1000], got `0` (number)',
    ],
    [
      'a conflict',
      ['--env', 'CartPole', '--minibatch-size', '100'],
      '(100) must not exceed the rollout of 64 samples (numEnvs 4 * rolloutLength 16)',
    ],
    ['a checkpoint that is not there', ['--resume', './nothing'], 'No checkpoint at'],
    ['a folder that is no checkpoint', ['--resume', '.'], 'neither a checkpoint'],
    ['a config file that is not there', ['--config', './nothing.json'], 'Cannot read the config file'],
    ['a config file of another kind', ['--config', './nothing.yaml'], 'to be a .json, .ts or .js file'],
    [
      'an environment option that is unknown',
      ['--env', 'CartPole', '--env-options', '{"gravitee":1}'],
      'gravit',
    ],
    [
      'environment options that are no JSON',
      ['--env', 'CartPole', '--env-options', '{gravity:1}'],
      'an object of JSON values',
    ],
    ['a factory that gives no environment', ['--env', `${ENVS}#notAnEnv`], 'it gave 5'],
    ['a factory that throws', ['--env', `${ENVS}#factoryThrows`], 'no licence'],
    ['an export that is not there', ['--env', `${ENVS}#nothing`], 'Functions that it exports'],
    ['actions of mixed kinds with gSDE', ['--env', `${ENVS}#mixedActions`, '--use-gsde'], 'ction'],
    [
      'simd for a conv network',
      ['--env', 'CartPole', '--network', 'conv', '--engine', 'simd'],
      'needs the TensorFlow engine',
    ],
  ])('%s: exit 2 and one clear message', async (_, argv, message) => {
    const out = join(temporaryFolder(), 'deep', 'run');
    const result = await train(...argv, '--out', out, '--stop-iterations', '1');
    expect(result.stderr).toContain(message);
    expect(result.stderr).toMatch(/^error: /);
    expect(result.stderr).not.toMatch(/\n\s+at /);
    expect(result.exitCode).toBe(2);
    expect(existsSync(join(out, '..'))).toBe(false);
  });

  it.each(['0', '2'])(
    'an environment that fails, with %s workers: exit 1, where it failed, no thread left',
    async (workers) => {
      const cases = [
        ['throwsInReset', 'no map is loaded'],
        ['throwsInStep', 'x is undefined'],
        ['observesNaN', 'NaN'],
        ['rewardsNaN', 'NaN'],
        ['wrongShape', 'Float32Array(3)'],
      ];
      const threads = countThreads();
      for (const [name, message] of cases) {
        const out = join(temporaryFolder(), 'run');
        const flags = ['--out', out, '--stop-iterations', '2', '--num-env-runners', workers];
        const result = await train('--env', `${ENVS}#${name}`, ...flags);
        expect(result.stderr, name).toContain(message);
        expect(result.stderr).toContain(`#${name}`);
        expect(result.stderr).toMatch(/seed \d+/);
        expect(result.stderr).not.toMatch(/\n\s+at /);
        expect(result.exitCode).toBe(1);
        await expect.poll(countThreads, { timeout: 10_000 }).toBeLessThanOrEqual(threads);
      }
    },
  );

  it('shows the stack with --verbose', async () => {
    const result = await train(
      '--env',
      `${ENVS}#throwsInReset`,
      '--out',
      join(temporaryFolder(), 'run'),
      '--num-env-runners',
      '0',
      '--verbose',
    );
    expect(result.stderr).toMatch(/bad-envs\.ts:\d+/);
  });

  it('says an error as JSON, too, with --json', async () => {
    const { json, exitCode } = await train('--env', 'CartPole', '--gamma', '2', '--json');
    expect(exitCode).toBe(2);
    expect(json()).toEqual([
      { type: 'error', code: 'CONFIG_RANGE', exitCode: 2, message: expect.stringContaining('gamma') },
    ]);
  });

  it('lists all problems at once', async () => {
    const { stderr } = await train(
      '--env',
      'CartPole',
      '--gamma',
      '2',
      '--seed',
      '-1',
      '--clip-range',
      'linear:9:0',
    );
    expect(stderr.trimEnd().split('\n')).toHaveLength(3);
  });

  it('an output folder with something in it, or that is a file: exit 2, and nothing in it changes', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'precious.txt'), 'mine');
    const before = snapshot(folder);
    for (const out of [folder, join(folder, 'precious.txt'), join(folder, 'precious.txt', 'deeper')]) {
      const result = await train('--env', 'CartPole', '--stop-iterations', '1', '--out', out);
      expect(result.exitCode).toBe(2);
      expect(result.stderr).toContain('--out');
    }
    expect(snapshot(folder)).toEqual(before);
  });

  it('a damaged checkpoint: exit 1, the file is named, and nothing changes', async () => {
    const out = join(temporaryFolder(), 'run');
    await train('--env', 'CartPole', '--stop-iterations', '1', '--out', out, '--quiet');
    const weights = join(out, 'checkpoints', '000001', 'policies', 'default', 'weights.safetensors');
    const bytes = readFileSync(weights);
    const threads = countThreads();
    const damages = [
      (copy: Buffer) => copy.subarray(0, copy.length - 4),
      (copy: Buffer) => {
        copy[copy.length - 1] ^= 1;
        return copy;
      },
    ];
    for (const damage of damages) {
      writeFileSync(weights, damage(Buffer.from(bytes)));
      const before = snapshot(out);
      for (const argv of [
        ['train', '--resume', out],
        ['evaluate', '--checkpoint', out],
      ]) {
        const result = await operant(...argv);
        expect([result.exitCode, result.stdout]).toEqual([1, '']);
        expect(result.stderr).toContain('weights.safetensors');
        expect(result.stderr).not.toMatch(/\n\s+at /);
      }
      expect(snapshot(out)).toEqual(before);
    }
    await expect.poll(countThreads, { timeout: 10_000 }).toBeLessThanOrEqual(threads);
  });
});
