import { describe, expect, it } from 'vitest';
import { checkPPO, ppoOptions, type ResolvedPPOConfig } from '../../algorithms/ppo/config.ts';
import { PPOConfig, ppo } from '../../algorithms/ppo/index.ts';
import { numEnvRunnersOf } from '../../src/config/derived.ts';
import { configToJson, flagName, learningConfig, listOptions } from '../../src/config/option.ts';
import { ConfigError } from '../../src/errors.ts';
import type { JsonObject } from '../../src/json.ts';

function resolve(values: JsonObject): ResolvedPPOConfig {
  return ppo.resolve([{ values: { environment: { env: 'CartPole' }, ...values } }]);
}

/** The message of the ConfigError; fails when there is none. */
function messageOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('Expected a ConfigError, but nothing was thrown.');
}

describe('the declarations', () => {
  const options = listOptions(ppoOptions);

  it('have unique option names over all sections', () => {
    const names = options.map(({ name }) => name);
    expect(names.filter((name, k) => names.indexOf(name) !== k)).toEqual([]);
  });

  it.each(options.map((o) => [o.name, o] as const))(
    '%s: the default passes its own schema',
    (name, { option }) => {
      if (name === 'env') return; // required
      expect(option.kind.schema.safeParse(option.default).success).toBe(true);
    },
  );

  it.each(options.map((o) => [o.name, o] as const))(
    '%s: the doc is one line that ends with a full stop',
    (_, { option }) => {
      expect(option.doc).toMatch(/^[^\n]+\.$/);
      expect(option.doc.length).toBeLessThanOrEqual(130);
    },
  );

  it('depend on and replace options of the same section only', () => {
    for (const { section, option } of options) {
      const others = [
        ...(option.replaces ?? []),
        ...(option.needs === undefined ? [] : [option.needs.option]),
      ];
      for (const other of others) expect(Object.keys(ppoOptions[section as 'training'])).toContain(other);
    }
  });

  it('say for each other name what is meant, without doubt', () => {
    const claimed = options
      .flatMap(({ option }) => option.alsoCalled ?? [])
      .map((name) => name.toLowerCase());
    expect(claimed.filter((name, k) => claimed.indexOf(name) !== k)).toEqual([]);
  });

  it('make kebab-case flags', () => {
    expect(flagName('numEnvsPerEnvRunner')).toBe('num-envs-per-env-runner');
    expect(flagName('adamBeta1')).toBe('adam-beta1');
  });
});

describe('resolving', () => {
  it('fills the documented defaults', () => {
    const config = resolve({});
    expect(config.training).toMatchObject({
      learningRate: 3e-4,
      gamma: 0.99,
      gaeLambda: 0.95,
      clipRange: 0.2,
      numEpochs: 10,
      minibatchSize: 64,
      maxGradNorm: 0.5,
      hiddenSizes: [64, 64],
    });
    expect(config.envRunners).toMatchObject({ numEnvRunners: 'auto', numEnvs: 8, rolloutLength: 128 });
  });

  it('keeps null as a value', () => {
    expect(resolve({ training: { maxGradNorm: null } }).training.maxGradNorm).toBeNull();
  });

  it('gives the same again for what it gave, through JSON', () => {
    const config = resolve({
      envRunners: { numEnvRunners: 3, numEnvsPerEnvRunner: 4 },
      training: {
        learningRate: { schedule: 'linear', from: 1e-3, to: 0 },
        scheduleSteps: 1000,
        network: 'conv',
      },
    });
    expect(ppo.resolve([{ values: configToJson(config) }])).toEqual(config);
  });

  it('takes nothing of the input by reference', () => {
    const envOptions = { size: 3 };
    const config = resolve({ environment: { env: 'x', envOptions } });
    envOptions.size = 4;
    expect(config.environment.envOptions).toEqual({ size: 3 });
  });

  it('lets later layers win, option by option', () => {
    const layers = [
      { values: { environment: { env: 'a' }, training: { gamma: 0.9, gaeLambda: 0.8 } }, isDefault: true },
      { values: { training: { gamma: 0.95 } } },
      { values: { environment: { env: 'b' } } },
    ];
    const { environment, training } = ppo.resolve(layers);
    expect([environment.env, training.gamma, training.gaeLambda]).toEqual(['b', 0.95, 0.8]);
  });

  it('treats undefined as not set', () => {
    expect(
      ppo.resolve([{ values: { environment: { env: 'a' }, training: { gamma: undefined } } }]).training.gamma,
    ).toBe(0.99);
  });
});

describe('numEnvsPerEnvRunner', () => {
  it('is another way to say numEnvs', () => {
    const { envRunners } = resolve({ envRunners: { numEnvRunners: 3, numEnvsPerEnvRunner: 4 } });
    expect([envRunners.numEnvs, envRunners.numEnvsPerEnvRunner]).toEqual([12, null]);
  });

  it('counts the main thread as one runner', () => {
    expect(resolve({ envRunners: { numEnvRunners: 0, numEnvsPerEnvRunner: 9 } }).envRunners.numEnvs).toBe(9);
  });

  it('replaces the numEnvs of an earlier source, and the other way round', () => {
    const tuned = { values: { environment: { env: 'a' }, envRunners: { numEnvs: 32 } }, isDefault: true };
    const flags = { values: { envRunners: { numEnvRunners: 2, numEnvsPerEnvRunner: 3 } } };
    expect(ppo.resolve([tuned, flags]).envRunners.numEnvs).toBe(6);
    const last = { values: { envRunners: { numEnvs: 10 } } };
    expect(ppo.resolve([tuned, flags, last]).envRunners.numEnvs).toBe(10);
  });

  it('conflicts with numEnvs in the same source', () => {
    const message = messageOf(() =>
      resolve({ envRunners: { numEnvs: 8, numEnvsPerEnvRunner: 4, numEnvRunners: 2 } }),
    );
    expect(message).toBe('numEnvs (8) and numEnvsPerEnvRunner (4) say the same: set only one of them.');
  });

  it('needs a number of runners', () => {
    expect(messageOf(() => resolve({ envRunners: { numEnvsPerEnvRunner: 4 } }))).toContain("got 'auto'");
  });
});

describe('cross-field checks', () => {
  it.each<[string, JsonObject, string]>([
    [
      'minibatchSize',
      { envRunners: { numEnvs: 2, rolloutLength: 10 }, training: { minibatchSize: 21 } },
      '(21) must not exceed the rollout of 20 samples (numEnvs 2 * rolloutLength 10)',
    ],
    [
      'a cosine schedule',
      { training: { clipRange: { schedule: 'cosine', from: 0.2, to: 0 } } },
      'clipRange is a cosine schedule (0.2 to 0), but scheduleSteps is null',
    ],
    [
      'a linear schedule',
      { training: { clipRange: { schedule: 'linear', from: 0.2, to: 0 } } },
      'clipRange is a linear schedule (0.2 to 0), but scheduleSteps is null',
    ],
    [
      'a backend for simd',
      { learners: { engine: 'simd', backend: 'wasm' } },
      'backend ("wasm") has no effect while engine is simd',
    ],
    [
      'simd threads for TensorFlow',
      { learners: { engine: 'tensorflow', numLearnerThreads: 2 } },
      'numLearnerThreads (2) has no effect while engine is tensorflow',
    ],
    [
      'an observation clip',
      { envRunners: { clipObservation: 5 } },
      'clipObservation (5) has no effect while normalizeObservations is false',
    ],
    ['a reward clip', { envRunners: { clipReward: 1 } }, 'set normalizeRewards to true'],
    ['a gSDE frequency', { training: { gsdeSampleFrequency: 4 } }, 'set useGsde to true'],
    [
      'a gSDE frequency of 0',
      { training: { useGsde: true, gsdeSampleFrequency: 0 } },
      'gsdeSampleFrequency (0) must be -1',
    ],
    [
      'a target for a penalty that is not there',
      { training: { klPenaltyTarget: 0.01 } },
      'klPenaltyTarget (0.01) needs a penalty to adapt',
    ],
    [
      'gains without orthogonal weights',
      { training: { orthogonalInit: false, policyGain: 0.5 } },
      'policyGain (0.5) has no effect',
    ],
    ['convolutions of an MLP', { training: { convLayers: [[8, 3, 1]] } }, 'set network to conv'],
    [
      'a conv network on simd',
      { training: { network: 'conv' }, learners: { engine: 'simd' } },
      'network (conv) needs the TensorFlow engine',
    ],
    [
      'a conv network in workers',
      { training: { network: 'conv' }, envRunners: { inference: 'worker' } },
      'acts by central inference only',
    ],
    ['a network that is no path', { training: { network: 'lstm' } }, 'write ./lstm.ts'],
    [
      'more runners than environments',
      { envRunners: { numEnvRunners: 9, numEnvs: 8 } },
      'numEnvRunners (9) must not exceed numEnvs (8)',
    ],
  ])('%s', (_, values, message) => {
    expect(messageOf(() => resolve(values))).toContain(message);
  });

  it('allow a minibatch that does not divide the rollout, and one as large as it', () => {
    expect(checkPPO(resolve({ training: { minibatchSize: 100 } }))).toEqual([]);
    expect(checkPPO(resolve({ training: { minibatchSize: 1024 } }))).toEqual([]);
  });

  it('need an environment', () => {
    expect(messageOf(() => ppo.resolve([]))).toContain('No environment');
  });

  it('list every problem, one line each', () => {
    const message = messageOf(() =>
      resolve({ envRunners: { clipReward: 1, numEnvRunners: 9 }, training: { minibatchSize: 1025 } }),
    );
    expect(message.split('\n')).toHaveLength(3);
  });
});

describe('options without effect', () => {
  it('may repeat their default', () => {
    expect(resolve({ envRunners: { clipReward: 10 } }).envRunners.clipReward).toBe(10);
  });

  it('of tuned defaults are dropped when an explicit option turns them off', () => {
    const tuned = {
      values: { environment: { env: 'a' }, training: { useGsde: true, gsdeSampleFrequency: 4 } },
      isDefault: true,
    };
    const config = ppo.resolve([tuned, { values: { training: { useGsde: false } } }]);
    expect(config.training.gsdeSampleFrequency).toBe(-1);
    expect(ppo.resolve([tuned]).training.gsdeSampleFrequency).toBe(4);
  });
});

describe('a TensorFlow backend', () => {
  it('chooses that engine', () => {
    expect(resolve({ learners: { backend: 'cpu' } }).learners.engine).toBe('tensorflow');
    expect(resolve({}).learners.engine).toBe('auto');
  });
});

describe('numEnvRunnersOf', () => {
  const config = (values: JsonObject) => resolve({ envRunners: values });

  it('is min(cores, 4, numEnvs) for auto', () => {
    expect(numEnvRunnersOf(config({ numEnvs: 8 }), 2)).toBe(2);
    expect(numEnvRunnersOf(config({ numEnvs: 8 }), 64)).toBe(4);
    expect(numEnvRunnersOf(config({ numEnvs: 3 }), 64)).toBe(3);
  });

  it('is what was asked for, whatever the machine', () => {
    expect(numEnvRunnersOf(config({ numEnvRunners: 0 }), 64)).toBe(0);
    expect(numEnvRunnersOf(config({ numEnvRunners: 7 }), 2)).toBe(7);
  });

  it('is 0 for a factory function', () => {
    const env = () => {
      throw new Error('never called');
    };
    expect(numEnvRunnersOf(new PPOConfig().environment(env).validate(), 8)).toBe(0);
  });
});

describe('learningConfig', () => {
  const hashed = (values: JsonObject) => JSON.stringify(learningConfig(ppoOptions, resolve(values)));

  it('is the same whatever cannot change the parameters', () => {
    const other = {
      envRunners: { numEnvRunners: 1 },
      stopping: { stopSteps: 5 },
      checkpointing: { out: '/tmp/x', keepCheckpoints: 9 },
      evaluation: { evaluationInterval: 2 },
      learners: { numLearnerThreads: 3 },
      debugging: { verbose: true, poison: true },
    };
    expect(hashed(other)).toBe(hashed({}));
  });

  it.each<JsonObject>([
    { debugging: { seed: 1 } },
    { training: { gamma: 0.5 } },
    { envRunners: { numEnvs: 9 } },
    { learners: { engine: 'simd' } },
    { environment: { env: 'Pendulum' } },
  ])('differs for %j', (values) => {
    expect(hashed(values)).not.toBe(hashed({}));
  });
});
