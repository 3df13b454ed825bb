/** The package as a program imports it: build, train, save, restore, run. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { algorithms } from '../algorithms/registry.ts';
import * as operant from '../src/index.ts';
import { temporaryFolder } from './temporary-folder.ts';

const { Algorithm, Box, Discrete, loadPolicy, PPOConfig } = operant;

const small = () =>
  new PPOConfig()
    .environment('CartPole-v1')
    .envRunners({ numEnvRunners: 0, numEnvs: 4, rolloutLength: 16 })
    .training({ numEpochs: 2, minibatchSize: 32, hiddenSizes: [8] });

describe('Algorithm.fromCheckpoint', () => {
  it('goes on exactly where the saved one was', async () => {
    const path = join(temporaryFolder(), 'checkpoint');
    const first = await small().build();
    await first.train();
    await first.save(path);
    const expected = await first.train();
    await first.stop();
    const second = await Algorithm.fromCheckpoint(path, { envRunners: { numEnvRunners: 2 } });
    expect([second.iteration, second.numEnvSteps]).toEqual([1, 64]);
    const actual = await second.train();
    await second.stop();
    const learnt = ({ metrics }: operant.TrainResult) =>
      Object.entries(metrics).filter(([key]) => key.startsWith('train/'));
    expect(learnt(actual)).toEqual(learnt(expected));
    expect(learnt(actual).length).toBeGreaterThan(5);
    expect(typeof (await loadPolicy(path)).actor().act([0, 0, 0, 0])).toBe('number');
  });

  it('asks for a function again, and takes it', async () => {
    const path = join(temporaryFolder(), 'checkpoint');
    const env = (): operant.Env => ({
      observationSpace: new Box(-1, 1, [2]),
      actionSpace: new Discrete(2),
      maxEpisodeSteps: 5,
      reset: () => ({ observation: [0, 0] }),
      step: () => ({ observation: [0, 0], reward: 1, terminated: false, truncated: false }),
    });
    const first = await small().environment(env).build();
    await first.train();
    await first.save(path);
    await first.stop();
    await expect(Algorithm.fromCheckpoint(path)).rejects.toThrow('give the function again');
    const second = await Algorithm.fromCheckpoint(path, { environment: { env } });
    expect((await second.train()).iteration).toBe(2);
    await second.stop();
  });

  it('names the source of a wrong override', async () => {
    const path = join(temporaryFolder(), 'checkpoint');
    const first = await small().build();
    await first.save(path);
    await first.stop();
    await expect(Algorithm.fromCheckpoint(path, { training: { gama: 1 } })).rejects.toThrow(
      'from the overrides',
    );
  });
});

describe('run', () => {
  it('trains as the command line does: folder, stop conditions, hooks', async () => {
    const out = join(temporaryFolder(), 'run');
    const seen: string[] = [];
    const summary = await small()
      .stopping({ stopSteps: 150 })
      .checkpointing({ out })
      .reporting({ tensorboard: false })
      .callbacks({
        onIterationEnd: ({ result }) => {
          seen.push(`iteration ${result.iteration}`);
        },
        onStop: ({ stopReason }) => {
          seen.push(stopReason);
        },
      })
      .run();
    expect(seen).toEqual(['iteration 1', 'iteration 2', 'iteration 3', 'stopSteps']);
    expect(summary).toMatchObject({ stopReason: 'stopSteps', numEnvSteps: 192, runDir: out });
    expect(existsSync(join(out, 'checkpoints', '000003', 'manifest.json'))).toBe(true);
    expect(JSON.parse(readFileSync(join(out, 'config.json'), 'utf8')).algorithm).toBe('ppo');
  });

  it('lets a hook stop it', async () => {
    const summary = await small()
      .checkpointing({ out: join(temporaryFolder(), 'run') })
      .callbacks({ onIterationEnd: ({ stop }) => stop() })
      .run();
    expect(summary).toMatchObject({ stopReason: 'callback', iterations: 1 });
  });

  it('ends where an AbortSignal asks for it, with a checkpoint', async () => {
    const out = join(temporaryFolder(), 'run');
    const controller = new AbortController();
    const summary = await small()
      .checkpointing({ out })
      .callbacks({ onIterationEnd: () => controller.abort() })
      .run({ signal: controller.signal });
    expect(summary).toMatchObject({ stopReason: 'interrupted', iterations: 1 });
    expect(summary.checkpoint).toBe(join(out, 'checkpoints', '000001'));
    const again = await small()
      .checkpointing({ out: `${out}-2` })
      .run({ signal: AbortSignal.abort() });
    expect(again).toMatchObject({ stopReason: 'interrupted', iterations: 0 });
  });

  it('goes on from a run folder with resume, as if it had not stopped', async () => {
    const folder = temporaryFolder();
    const config = (name: string, stopIterations: number) =>
      small()
        .checkpointing({ out: join(folder, name) })
        .reporting({ tensorboard: false, csv: false })
        .stopping({ stopIterations });
    await config('unbroken', 4).run();
    await config('cut', 2).run();
    const resume = join(folder, 'cut');
    const summary = await small().stopping({ stopIterations: 4 }).run({ resume });
    expect(summary).toMatchObject({ iterations: 4, runDir: resume });
    const weights = (name: string) =>
      readFileSync(join(folder, name, 'checkpoints/000004/policies/default/weights.safetensors'));
    expect(weights('cut').equals(weights('unbroken'))).toBe(true);
    const other = new operant.DQNConfig().environment('CartPole-v1');
    await expect(other.run({ resume })).rejects.toMatchObject({
      code: 'CHECKPOINT_ALGORITHM',
      message: expect.stringContaining('is of algorithm ppo, not dqn'),
    });
    await expect(small().run({ resume: join(folder, 'none') })).rejects.toMatchObject({
      code: 'CHECKPOINT_NOT_FOUND',
    });
  });

  it('leaves nothing when it cannot start', async () => {
    const folder = temporaryFolder();
    const out = join(folder, 'a', 'b');
    await expect(small().environment('CartPoel').checkpointing({ out }).run()).rejects.toThrow('CartPole');
    expect(existsSync(join(folder, 'a'))).toBe(false);
  });
});

describe('every registered algorithm', () => {
  it.each(Object.keys(algorithms))('%s has its builder among the exports', async (name) => {
    const { Config } = await algorithms[name]();
    expect(Object.values(operant)).toContain(Config);
  });
});
