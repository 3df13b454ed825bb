import { chmodSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Algorithm } from '../../algorithms/from-checkpoint.ts';
import { besideRun } from '../../src/checkpoint/beside-run.ts';
import { loadCheckpoint, loadManifest } from '../../src/checkpoint/load-checkpoint.ts';
import { encodeManifest } from '../../src/checkpoint/manifest.ts';
import { operantVersion } from '../../src/machine/operant-version.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { operant } from './run-in-process.ts';

describe('operant', () => {
  it('says its version and its commands', async () => {
    expect((await operant('--version')).stdout).toBe(`${operantVersion()}\n`);
    const help = await operant('--help');
    expect(help.exitCode).toBe(0);
    for (const name of ['train', 'evaluate', 'envs', 'check', 'options', 'doctor'])
      expect(help.stdout).toContain(`  ${name} `);
  });

  it('without a command is a usage error with the same text', async () => {
    const { exitCode, stdout, stderr } = await operant();
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toContain('Usage: operant <command>');
  });

  it('finds what an unknown command means', async () => {
    const { exitCode, stderr } = await operant('trian');
    expect([exitCode, stderr]).toEqual([
      2,
      'error: Unknown command `trian`. Did you mean `operant train`?\n',
    ]);
  });

  it.each(['train', 'evaluate', 'play', 'exploitability', 'envs', 'check', 'options', 'doctor'])(
    '%s --help lists its flags',
    async (name) => {
      const { exitCode, stdout, stderr } = await operant(name, '--help');
      expect([exitCode, stderr]).toEqual([0, '']);
      expect(stdout).toMatch(/^Usage: operant /);
      expect(stdout).toContain('--help');
      expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(110);
    },
  );

  it.each(['evaluate', 'envs', 'check', 'options', 'doctor'])('%s refuses unknown flags', async (name) => {
    const { exitCode, stderr } = await operant(name, '--jsn');
    expect(exitCode).toBe(2);
    expect(stderr).toContain('Unknown flag --jsn. Did you mean --json?');
  });

  it('train says whose a flag is that its algorithm does not have', async () => {
    const { exitCode, stderr } = await operant('train', '--algo', 'sac', '--clip-range', '0.2');
    expect(exitCode).toBe(2);
    expect(stderr).toContain('Unknown flag --clip-range: it is of other algorithms (ppo, appo).');
  });
});

describe('check', () => {
  const BROKEN = `export default ({ reward = 1 } = {}) => ({
    observationSpace: new Box(-1, 1, [1]),
    actionSpace: new Discrete(2),
    maxEpisodeSteps: 9,
    reset: () => ({ observation: [0] }),
    step: () => ({ observation: [0], reward: reward === 'none' ? NaN : reward, terminated: false, truncated: false }),
  });
  export class Lander {}
`;

  it('plays an environment by id or path and ends with 1 when it finds errors', async () => {
    const shipped = await operant('check', '--env', 'CartPole', '--steps', '300');
    expect([shipped.exitCode, shipped.stderr]).toEqual([0, '']);
    expect(shipped.stdout).toMatch(/played 300 random steps.*ok, 0 warnings/s);
    const path = join(temporaryFolder(), 'my-env.ts');
    const index = new URL('../../src/index.ts', import.meta.url).pathname;
    writeFileSync(path, `import { Box, Discrete } from '${index}';\n${BROKEN}`);
    const options = ['--env-options', '{"reward": "none"}'];
    const broken = await operant('check', '--env', path, ...options, '--json');
    expect(broken.exitCode).toBe(1);
    const [report] = broken.json();
    expect(report).toMatchObject({ ok: false, findings: [{ code: 'ENV_REWARD_NON_FINITE' }] });
    const lander = await operant('check', '--env', `${path}#Lander`);
    expect(lander.stdout).toContain('() => new Lander()');
    const train = await operant('train', '--env', `${path}#Lander`, '--num-env-runners', '0');
    expect([train.exitCode, train.stderr]).toEqual([2, expect.stringContaining('() => new Lander()')]);
  });

  it('refuses what is no environment, no object and a key that stands twice', async () => {
    expect((await operant('check')).stderr).toContain('Which environment?');
    const of = async (text: string) =>
      (await operant('check', '--env', 'CartPole', '--env-options', text)).stderr;
    expect(await of('[1]')).toContain('Expected --env-options to be an object of JSON values');
    const twice = 'the key "size" stands twice in one object';
    expect(await of('{"size": 1, "size": 2}')).toContain(twice);
    const train = await operant('train', '--env', 'Snake', '--env-options', '{"size": 8, "size": 9}');
    expect([train.exitCode, train.stderr]).toEqual([
      2,
      expect.stringContaining(`The JSON of --env-options is wrong: ${twice}`),
    ]);
  });
});

describe('envs', () => {
  it('lists the shipped environments with spaces, limits and thresholds', async () => {
    const { stdout } = await operant('envs');
    expect(stdout).toMatch(/CartPole-v1 +Box\(4\) .* Discrete\(2\) +500 +475 /);
    expect(stdout).toMatch(/Pendulum-v1 +Box\(3\) .* Box\(1\) .* 200 +-200 /);
    expect(stdout).toMatch(/external:NAME .*Ready/);
    expect(stdout).toMatch(/pettingzoo:FAMILY\/NAME .*(Ready: pettingzoo|operant python install)/);
  });

  it('gives the same as JSON', async () => {
    const rows = JSON.parse((await operant('envs', '--json')).stdout) as Record<string, unknown>[];
    expect(rows.find(({ id }) => id === 'CartPole-v1')).toMatchObject({
      maxEpisodeSteps: 500,
      rewardThreshold: 475,
      actionSpace: { kind: 'discrete', n: 2, start: 0 },
    });
  });
});

describe('options', () => {
  it('come as Markdown, with a row for each', async () => {
    const page = (await operant('options', '--algo', 'ppo')).stdout;
    const { options } = JSON.parse((await operant('options', '--json')).stdout);
    expect(page).toContain('new PPOConfig().training');
    const rows = [...page.matchAll(/^\| `(\w+)` \| `(--[\w-]+)` \|/gm)].map(([, name, flag]) => ({
      name,
      flag,
    }));
    expect(rows).toEqual(options.map(({ name, flag }: Record<string, string>) => ({ name, flag })));
  });

  it('come as JSON', async () => {
    const { algorithm, options } = JSON.parse((await operant('options', '--json')).stdout);
    expect(algorithm).toBe('ppo');
    expect(options).toContainEqual({
      section: 'training',
      name: 'gamma',
      flag: '--gamma',
      expects: 'a number in [0, 1]',
      default: 0.99,
      unit: null,
      doc: 'Discount per environment step.',
      affectsLearning: true,
    });
  });
});

describe('doctor', () => {
  it('says what is here and which engine will be used', async () => {
    const text = (await operant('doctor')).stdout;
    expect(text).toContain(`node                ${process.versions.node} (V8 ${process.versions.v8})`);
    const report = JSON.parse((await operant('doctor', '--json')).stdout);
    expect(report).toMatchObject({ node: process.versions.node, simd: { available: true } });
    expect(report.engines[0]).toMatchObject({ engine: 'simd' });
  });

  it('--compare says what differs from what a run was made with', async () => {
    const out = join(temporaryFolder(), 'run');
    await operant('train', '--env', 'CartPole', '--out', out, '--stop-iterations', '1', '--quiet');
    expect((await operant('doctor', '--compare', out)).stdout).toMatch(
      /was made with exactly what is here\.\n$/,
    );

    const { path, manifest } = await loadManifest(out);
    const fingerprint = { ...manifest.fingerprint, v8: '1.2', numCores: 999 };
    writeFileSync(join(path, 'manifest.json'), encodeManifest({ ...manifest, fingerprint }));
    const { exitCode, stdout } = await operant('doctor', '--compare', out);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/bit for bit:\n {2}v8: 1\.2 then, .*timings only:\n {2}numCores: 999 then/s);
    const { differences } = JSON.parse((await operant('doctor', '--compare', out, '--json')).stdout);
    expect(differences).toMatchObject([{ field: 'v8', first: '1.2' }, { field: 'numCores' }]);

    const missing = await operant('doctor', '--compare', join(out, 'nothing'));
    expect(missing.exitCode).toBe(2);
    expect(missing.stderr).toContain('nothing');
  });
});

describe('evaluate', () => {
  it('runs episodes with a checkpoint, the same for the same seed', async () => {
    const out = join(temporaryFolder(), 'run');
    await operant(
      'train',
      '--env',
      'CartPole',
      '--out',
      out,
      '--stop-iterations',
      '1',
      '--quiet',
      '--evaluation-episodes',
      '3',
    );
    const evaluate = async (...argv: string[]) => {
      const result = await operant('evaluate', '--checkpoint', out, '--json', ...argv);
      expect(result.stderr).toBe('');
      return result.json()[0];
    };
    const first = await evaluate('--episodes', '4', '--seed', '5');
    expect(first).toMatchObject({ type: 'evaluation', checkpoint: join(out, 'checkpoints', '000001') });
    expect(first.returns).toHaveLength(4);
    expect(await evaluate('--episodes', '4', '--seed', '5')).toEqual(first);
    expect((await evaluate('--episodes', '4', '--seed', '6')).returns).not.toEqual(first.returns);
    expect((await evaluate('--episodes', '4', '--seed', '5', '--stochastic')).returns).not.toEqual(
      first.returns,
    );
    expect((await evaluate()).returns).toHaveLength(3);
    // Nothing but the policy is loaded for these.
    expect(await evaluate('--episodes', '4', '--seed', '5', '--env', 'CartPole')).toEqual(first);
    const shorter = await evaluate('--episodes', '2', '--env-options', '{"maxEpisodeSteps": 3}');
    expect(shorter).toMatchObject({ lengths: [3, 3], returnInterval: [3, 3] });
    const film = join(temporaryFolder(), 'film.png');
    const filmed = await operant(
      'evaluate',
      '--checkpoint',
      out,
      '--render',
      film,
      '--episodes',
      '2',
      '--json',
    );
    expect(filmed.json().map(({ files }) => files)).toEqual(
      [0, 1].map((seed) => [film.replace('.png', `-${seed}.png`)]),
    );
    const human = await operant('evaluate', '--checkpoint', join(out, 'latest'), '--episodes', '2');
    expect(human.stdout).toMatch(/episodes +2\nreturn /);
  });

  it('takes an algorithm of somebody else when it is given with --algo, and no other', async () => {
    const own = `${new URL('../../examples/reinforce/reinforce.ts', import.meta.url).pathname}#reinforce`;
    const out = join(temporaryFolder(), 'run');
    const size = '--num-env-runners 0 --num-envs 2 --rollout-length 16 --stop-iterations 1 --quiet'.split(
      ' ',
    );
    const trained = await operant('train', '--algo', own, '--env', 'CartPole', '--out', out, ...size);
    expect([trained.exitCode, trained.stderr]).toEqual([0, '']);
    const evaluate = (...argv: string[]) =>
      operant('evaluate', '--checkpoint', out, '--episodes', '3', '--seed', '5', '--json', ...argv);
    const played = await evaluate('--algo', own);
    expect([played.exitCode, played.stderr]).toEqual([0, '']);
    expect(played.json()[0].returns).toHaveLength(3);
    // The same policy in the same episodes, put together without the algorithm's own parts.
    const elsewhere = await evaluate('--algo', own, '--env', 'CartPole');
    expect(elsewhere.json()).toEqual(played.json());
    const unknown = await evaluate();
    expect([unknown.exitCode, unknown.stderr]).toEqual([2, expect.stringContaining('reinforce')]);
    const other = await evaluate('--algo', 'ppo');
    expect([other.exitCode, other.stderr]).toEqual([
      2,
      expect.stringContaining('is of algorithm reinforce, not ppo'),
    ]);
  });

  it('loads nothing of a run but its policy: no replay buffer, and no sample of what has none', async () => {
    const out = join(temporaryFolder(), 'run');
    const size =
      '--num-env-runners 0 --num-envs 2 --learning-starts 64 --steps-per-iteration 128 --replay-capacity 1000';
    const small = `${size} --hidden-sizes 8 --stop-iterations 1 --quiet`.split(' ');
    const trained = await operant('train', '--algo', 'dqn', '--env', 'CartPole', '--out', out, ...small);
    expect([trained.exitCode, trained.stderr]).toEqual([0, '']);
    const algorithm = await Algorithm.fromCheckpoint(out);
    const { returns } = await algorithm.evaluate({ numEpisodes: 4, seed: 5 });
    await algorithm.stop();
    rmSync(join(out, 'segments'), { recursive: true }); // of the replay buffer
    const evaluate = (...argv: string[]) =>
      operant('evaluate', '--checkpoint', out, '--episodes', '4', '--seed', '5', '--json', ...argv);
    expect((await evaluate()).json()[0].returns).toEqual(returns);
    const sampled = await evaluate('--stochastic');
    expect([sampled.exitCode, sampled.stderr]).toEqual([
      2,
      expect.stringContaining('explores in training only'),
    ]);
    const several = await evaluate('--policy-for', '{"a": "b"}');
    expect([several.exitCode, several.stderr]).toEqual([2, expect.stringContaining('this run has one')]);
  });

  it('plays where the run is evaluated, under its options', async () => {
    const out = join(temporaryFolder(), 'run');
    const place = ['--evaluation-env-options', '{"maxEpisodeSteps": 4}'];
    const size = '--num-env-runners 0 --num-envs 2 --rollout-length 16 --stop-iterations 1 --quiet'.split(
      ' ',
    );
    await operant(
      'train',
      '--env',
      'CartPole',
      '--no-tuned',
      '--minibatch-size',
      '32',
      '--out',
      out,
      ...place,
      ...size,
    );
    const evaluate = async (...argv: string[]) =>
      (await operant('evaluate', '--checkpoint', out, '--episodes', '2', '--json', ...argv)).json()[0]
        .lengths;
    expect(await evaluate()).toEqual([4, 4]);
    expect(await evaluate('--env-options', '{"maxEpisodeSteps": 3}')).toEqual([3, 3]);
  });

  it.each([
    [[], 'Which policy? Give --checkpoint'],
    [['--checkpoint', './nothing'], 'No checkpoint at'],
    [
      ['--checkpoint', '.', '--episodes', '0'],
      'Expected --episodes to be an integer in [1, 4294967295], got `0`',
    ],
    [['--checkpoint', '.', '--deterministic', '--stochastic'], 'exclude each other'],
  ])('%j is refused', async (argv, message) => {
    const { exitCode, stderr } = await operant('evaluate', ...argv);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(message);
  });
});

describe('modules beside a run', () => {
  const SMALL = '--num-envs 2 --rollout-length 8 --minibatch-size 16 --hidden-sizes 4'.split(' ');
  const index = new URL('../../src/index.ts', import.meta.url).pathname;
  const laneEnv = (reward: number) => `import { Box, Discrete } from '${index}';
export default () => ({
  observationSpace: new Box(0, 1, [1]),
  actionSpace: new Discrete(2),
  maxEpisodeSteps: 5,
  reset: () => ({ observation: [0] }),
  step: () => ({ observation: [0], reward: ${reward}, terminated: false, truncated: false }),
});
`;

  it('are found from any folder, before those of the working directory, and need trust as ever', async () => {
    const project = temporaryFolder();
    writeFileSync(join(project, 'lane.ts'), laneEnv(3));
    const out = join(project, 'runs', 'first');
    const trained = await operant(
      ...['train', '--env', join(project, 'lane.ts'), '--num-env-runners', '0', '--stop-iterations', '1'],
      ...['--out', out, ...SMALL],
    );
    expect([trained.exitCode, trained.stderr]).toEqual([0, expect.any(String)]);
    const { content, path } = await loadCheckpoint(out);
    const config = content.json['config.json'] as { readonly environment: object };
    const named = { environment: { ...config.environment, env: './lane.ts' } };
    expect(besideRun(path, named).environment).toMatchObject({ env: join(project, 'lane.ts') });
    expect(besideRun(join(temporaryFolder(), 'elsewhere'), named)).toEqual(named);
    chmodSync(project, 0o777);
    const isPosix = process.platform !== 'win32';
    expect(besideRun(path, named).environment).toMatchObject({
      env: isPosix ? './lane.ts' : join(project, 'lane.ts'),
    });
    // The folder between belongs to whoever put it into one of everybody's.
    mkdirSync(join(project, 'worlds'));
    writeFileSync(join(project, 'worlds', 'lane.ts'), laneEnv(3));
    const below = { environment: { env: './worlds/lane.ts' } };
    const found = { environment: { env: join(project, 'worlds', 'lane.ts') } };
    expect(besideRun(path, below)).toEqual(isPosix ? below : found);
    chmodSync(project, 0o700);
    expect(besideRun(path, below)).toEqual(found);
    const exported = { environment: { env: 'lane.ts#maze' }, training: { network: 'mlp' } };
    expect(besideRun(path, exported)).toEqual({
      environment: { env: `${join(project, 'lane.ts')}#maze` },
      training: { network: 'mlp' },
    });
    // The same module by another path is the same environment.
    const moved = join(temporaryFolder(), 'lane.ts');
    writeFileSync(moved, laneEnv(3));
    const resumed = await operant('train', '--resume', out, '--env', moved, '--stop-iterations', '2');
    expect([resumed.exitCode, resumed.stderr]).toEqual([0, expect.any(String)]);
  });

  it('let `evaluate` play from another folder, also when the project has moved', async () => {
    const home = process.cwd();
    onTestFinished(() => process.chdir(home));
    const [project, elsewhere] = [temporaryFolder(), temporaryFolder()];
    writeFileSync(join(project, 'lane.ts'), laneEnv(3));
    writeFileSync(join(elsewhere, 'lane.ts'), laneEnv(7));
    process.chdir(project);
    const trained = await operant(
      ...['train', '--env', './lane.ts', '--num-env-runners', '0', '--stop-iterations', '1'],
      ...['--out', 'run', ...SMALL],
    );
    expect([trained.exitCode, trained.stderr]).toEqual([0, expect.any(String)]);
    process.chdir(elsewhere);
    const evaluate = (run: string, ...argv: string[]) =>
      operant('evaluate', '--checkpoint', run, '--episodes', '2', '--json', ...argv);
    const untrusted = await evaluate(join(project, 'run'));
    expect(untrusted.exitCode).toBe(2);
    expect(untrusted.stderr).toContain(`environment.env: ${join(project, 'lane.ts')}`);
    const played = await evaluate(join(project, 'run'), '--trust');
    expect([played.stderr, played.json()[0].returns]).toEqual(['', [15, 15]]);
    const moved = join(temporaryFolder(), 'moved');
    renameSync(project, moved);
    const again = await evaluate(join(moved, 'run'), '--trust');
    expect([again.stderr, again.json()[0].returns]).toEqual(['', [15, 15]]);
    // What is given anew is that of the working directory, and needs no trust.
    const other = await evaluate(join(moved, 'run'), '--env', './lane.ts');
    expect([other.stderr, other.json()[0].returns]).toEqual(['', [35, 35]]);
  });
});
