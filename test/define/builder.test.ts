import { describe, expect, it } from 'vitest';
import { PPOConfig, ppo } from '../../algorithms/ppo/index.ts';
import { algorithms } from '../../algorithms/registry.ts';
import type { Algorithm } from '../../src/algorithm/algorithm.ts';
import { commonOptions } from '../../src/config/common-options.ts';
import { option, type ResolvedConfig } from '../../src/config/option.ts';
import { conflict } from '../../src/config/problems.ts';
import { number } from '../../src/config/value-kind.ts';
import { defineAlgorithm } from '../../src/define/define-algorithm.ts';
import { ConfigError } from '../../src/errors.ts';

describe('the builder', () => {
  it('sets options by section and returns itself', () => {
    const builder = new PPOConfig();
    const same = builder
      .environment('CartPole-v1', { gravity: 5 })
      .envRunners({ numEnvRunners: 2, numEnvs: 16 })
      .training({ gamma: 0.98 })
      .learners({ engine: 'simd' })
      .evaluation({ evaluationInterval: 5 })
      .checkpointing({ keepCheckpoints: 2 })
      .faultTolerance({ maxWorkerRestarts: 0 })
      .reporting({ csv: false })
      .debugging({ seed: 3 })
      .stopping({ stopSteps: 1000 });
    expect(same).toBe(builder);
    const config = builder.validate();
    expect(config.environment).toMatchObject({ env: 'CartPole-v1', envOptions: { gravity: 5 } });
    expect(config.envRunners.numEnvs).toBe(16);
    expect(config.debugging.seed).toBe(3);
  });

  it('merges repeated calls of a section', () => {
    const config = new PPOConfig()
      .environment('a')
      .training({ gamma: 0.9 })
      .training({ gaeLambda: 0.5 })
      .validate();
    expect([config.training.gamma, config.training.gaeLambda]).toEqual([0.9, 0.5]);
  });

  it('takes the whole environment section, too', () => {
    const config = new PPOConfig().environment({ env: 'a', maxEpisodeSteps: 7 }).validate();
    expect(config.environment).toMatchObject({ env: 'a', envOptions: {}, maxEpisodeSteps: 7 });
  });

  it('throws in the call that is wrong, with the nearest name', () => {
    // @ts-expect-error a misspelt option
    expect(() => new PPOConfig().training({ gama: 0.9 })).toThrow('Did you mean `gamma`?');
    // @ts-expect-error a wrong type
    expect(() => new PPOConfig().training({ gamma: 'high' })).toThrow('got `high` (string)');
    // @ts-expect-error an option of another section
    expect(() => new PPOConfig().training({ numEnvs: 4 })).toThrow(
      'It is an option of section `envRunners`.',
    );
    // @ts-expect-error a name from another library
    expect(() => new PPOConfig().training({ lr: 1e-3 })).toThrow('Did you mean `learningRate`?');
  });

  it('does not accept a misspelt attribute', () => {
    expect(() => Object.assign(new PPOConfig(), { lrr: 1 })).toThrow(TypeError);
  });

  it('copies without sharing', () => {
    const first = new PPOConfig().environment('a').training({ gamma: 0.9 });
    const second = first.copy().training({ gamma: 0.8 });
    expect(first.validate().training.gamma).toBe(0.9);
    expect(second.validate().training.gamma).toBe(0.8);
    expect(second.validate().environment.env).toBe('a');
  });

  it('goes through JSON and back', () => {
    const builder = new PPOConfig()
      .environment('a', { size: 2 })
      .training({ maxGradNorm: null, hiddenSizes: [8] });
    const json = JSON.parse(JSON.stringify(builder));
    expect(json).toEqual({
      algorithm: 'ppo',
      environment: { env: 'a', envOptions: { size: 2 } },
      training: { maxGradNorm: null, hiddenSizes: [8] },
    });
    expect(new PPOConfig(json).validate()).toEqual(builder.validate());
  });

  it('refuses the config of another algorithm', () => {
    expect(() => new PPOConfig({ algorithm: 'dqn' })).toThrow('not ppo');
  });

  it('names a function in JSON', () => {
    const builder = new PPOConfig().environment(function maze() {
      throw new Error('never called');
    });
    expect(builder.toJSON().environment).toEqual({ env: 'function:maze' });
  });

  it('refuses a function for worker threads', () => {
    const env = () => {
      throw new Error('never called');
    };
    const builder = new PPOConfig().environment(env).envRunners({ numEnvRunners: 2 });
    expect(() => builder.validate()).toThrow('numEnvRunners is 2: set it to 0');
  });

  it('does not build with hooks that nobody would call', async () => {
    const builder = new PPOConfig().environment('a').callbacks({ onStop: () => undefined });
    await expect(builder.build()).rejects.toThrow('call `run()` instead');
  });
});

describe('tuned defaults', () => {
  const tuned = defineAlgorithm({
    name: 'toy',
    options: {
      ...commonOptions,
      training: { heat: option(number({ min: 0 }), { default: 1, doc: 'Heat.' }) },
    },
    tunedDefaults: {
      'Maze-v1': { training: { heat: 2 } },
      'Maze-v2': { training: { heat: 3 }, envRunners: { numEnvs: 4 } },
    },
    create: async () => ({}) as Algorithm,
  });

  it('come when asked for only, and explicit options win', () => {
    const builder = () => new tuned.Config().environment('Maze-v1');
    expect(builder().validate().training.heat).toBe(1);
    expect(builder().tuned().validate().training.heat).toBe(2);
    expect(builder().training({ heat: 9 }).tuned().validate().training.heat).toBe(9);
  });

  it('of the newest version serve an id without one', () => {
    const config = new tuned.Config().environment('Maze').tuned().validate();
    expect([config.training.heat, config.envRunners.numEnvs]).toEqual([3, 4]);
  });

  it('are nothing for other environments', () => {
    expect(new tuned.Config().environment('Mazes').tuned().validate().training.heat).toBe(1);
    expect(new tuned.Config().environment('./maze.ts').tuned().validate().training.heat).toBe(1);
  });

  it('of PPO all resolve', () => {
    for (const [id, values] of Object.entries(ppo.tunedDefaults)) {
      expect(() => ppo.resolve([{ values }, { values: { environment: { env: id } } }]), id).not.toThrow();
    }
  });
});

describe('defineAlgorithm', () => {
  const options = {
    ...commonOptions,
    training: { heat: option(number({ min: 0 }), { default: 1, doc: 'Heat.' }) },
  };

  it('gives a builder whose build hands the resolved config to create', async () => {
    const seen: ResolvedConfig<typeof options>[] = [];
    const algorithm = { name: 'toy' } as Algorithm;
    const toy = defineAlgorithm({
      name: 'toy',
      options,
      create: async (config) => {
        seen.push(config);
        return algorithm;
      },
    });
    expect(await new toy.Config().environment('a').training({ heat: 5 }).build()).toBe(algorithm);
    expect(seen.map(({ training, debugging }) => [training.heat, debugging.seed])).toEqual([[5, 0]]);
  });

  it("runs the algorithm's own check after the shared ones", () => {
    const toy = defineAlgorithm({
      name: 'toy',
      options,
      check: ({ training }) =>
        training.heat > 3 ? [conflict(`heat (${training.heat}) is too hot for the test.`)] : [],
      create: async () => ({}) as Algorithm,
    });
    const call = () => toy.resolve([{ values: { training: { heat: 4 } } }]);
    expect(call).toThrow(ConfigError);
    expect(call).toThrow(/No environment.*\nheat \(4\) is too hot/);
  });
});

it("every algorithm's builder bears the name under which it is exported", async () => {
  const exported = (await import('../../src/index.ts')) as unknown as Record<
    string,
    { readonly name: string }
  >;
  for (const find of Object.values(algorithms)) {
    const { Config } = await find();
    expect(exported[Config.name]).toBe(Config);
  }
});
