/** A curriculum is part of the run: the same for any number of workers, whoever dies, and after a resume at any place. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { loadCheckpoint } from '../../src/checkpoint/load-checkpoint.ts';
import { Algorithm, DQNConfig, IMPALAConfig, PPOConfig } from '../../src/index.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { comparable } from './run-content.ts';

const PROBE = fileURLToPath(new URL('../conformance/probe-env.ts', import.meta.url));
const ITERATIONS = 8;

/** Three stages within eight iterations: by steps, then by a metric that rises with the second stage. */
const STAGES = [
  { options: { length: 1 } },
  { options: { length: 2 }, fromStep: 100 },
  { options: { length: 4 }, metric: 'rollout/episodeReturnMean', atLeast: -50, minEpisodes: 10 },
];

function mazes(numEnvRunners: number, curriculum: object | string = STAGES) {
  return new PPOConfig()
    .environment({ env: 'TMaze-v0', envOptions: { length: 8 }, curriculum: curriculum as never })
    .envRunners({ numEnvRunners, numEnvs: 5, rolloutLength: 16 })
    .training({ recurrent: 'gru', recurrentSize: 8, sequenceLength: 8, minibatchSize: 40, numEpochs: 2 })
    .training({ hiddenSizes: [8] })
    .evaluation({ evaluationInterval: 3, evaluationEpisodes: 2 })
    .reporting({ metricsWindow: 10 })
    .debugging({ seed: 5, poison: true });
}

interface Told {
  readonly states: readonly object[];
  /** Iteration and options of every change. */
  readonly changes: readonly (readonly [number, object])[];
}

/** Trains to `ITERATIONS`, and stops. */
async function runOut(algorithm: Algorithm): Promise<Told> {
  const states: object[] = [];
  const changes: (readonly [number, object])[] = [];
  while (algorithm.iteration < ITERATIONS) {
    const { envOptions, iteration } = await algorithm.train();
    if (envOptions !== undefined) changes.push([iteration, envOptions]);
    if (iteration >= ITERATIONS - 2) states.push(comparable(await algorithm.getState()));
  }
  await algorithm.stop();
  return { states, changes };
}

describe('mazes that grow', () => {
  const whole = mazes(0).build().then(runOut);

  test('stages come in order, the second by steps, the third by its metric', async () => {
    const { changes } = await whole;
    expect(changes.map(([, options]) => options)).toEqual([{ length: 2 }, { length: 4 }]);
    expect(changes[0][0]).toBe(2); // 80 steps are too few, 160 are not
    expect(changes[1][0]).toBeGreaterThan(2); // ten episodes of the second stage have to end first
    expect(
      await mazes(0, [{ options: { length: 1 } }])
        .build()
        .then(runOut),
    ).not.toEqual(await whole);
  });

  test.each([1, 3])('%i workers', async (numEnvRunners) => {
    expect(await mazes(numEnvRunners).build().then(runOut)).toEqual(await whole);
  });

  test('cut right after its changes, while rows are in different stages, and gone on with another number of workers', async () => {
    const { states, changes } = await whole;
    const folder = temporaryFolder();
    const unbroken = await mazes(2).build();
    for (let cut = 1; cut < ITERATIONS; cut++) {
      await unbroken.train();
      await unbroken.save(join(folder, String(cut)));
    }
    await unbroken.stop();
    for (const cut of [changes[0][0], changes[1][0]]) {
      const resumed = await Algorithm.fromCheckpoint(join(folder, String(cut)), {
        envRunners: { numEnvRunners: cut === changes[0][0] ? 0 : 3 },
      });
      const told = await runOut(resumed);
      expect(told.states.at(-1)).toEqual(states.at(-1));
      expect(told.changes).toEqual(changes.filter(([iteration]) => iteration > cut));
    }
  });

  test('an algorithm that goes back to a state of before', async () => {
    const algorithm = await mazes(2).build();
    const path = join(temporaryFolder(), 'early');
    await algorithm.train();
    await algorithm.save(path);
    while (algorithm.iteration < ITERATIONS) await algorithm.train();
    await algorithm.setState((await loadCheckpoint(path)).content);
    expect(await runOut(algorithm)).toEqual(await whole);
  });

  test('a function in a module decides the same', async () => {
    const path = join(temporaryFolder(), 'grow.mjs');
    writeFileSync(
      path,
      `export const grow = ({ iteration, numEnvSteps, stage, numStageEpisodes, metrics }) => {
        if (Object.keys(metrics).some((key) => key.startsWith('time/'))) throw new Error('the clock');
        if (iteration === 0) return { length: 1 };
        if (stage === 0 && numEnvSteps >= 100) return { length: 2 };
        if (stage === 1 && numStageEpisodes >= 10) return { length: 4 };
        return null;
      };`,
    );
    const { changes } = await whole;
    expect((await mazes(2, `${path}#grow`).build().then(runOut)).changes).toEqual(changes);
  });
});

test('a worker that dies while rows are in different stages is replaced as it was', async () => {
  const config = (numEnvRunners: number, exitFile?: string) =>
    new PPOConfig()
      .environment({
        env: PROBE,
        envOptions: { actions: 'discrete', ...(exitFile !== undefined && { exitFile }) },
        curriculum: [
          { options: { scale: 1, exitFile: '/' } }, // a file that nobody can make
          { options: { scale: 3, ...(exitFile !== undefined && { exitFile }) }, fromStep: 30 },
          { options: { scale: 5 }, fromStep: 90 },
        ],
      })
      .envRunners({ numEnvRunners, numEnvs: 4, rolloutLength: 7 })
      .training({ minibatchSize: 28, numEpochs: 1 })
      .debugging({ seed: 3 });
  const undisturbed = await runOut(await config(0).build());
  const algorithm = await config(2, join(temporaryFolder(), 'exit')).build();
  const failures: unknown[] = [];
  const { train } = algorithm;
  algorithm.train = async () => {
    const result = await train();
    failures.push(...(result.workerFailures ?? []));
    return result;
  };
  const { states } = await runOut(algorithm);
  expect(failures).toMatchObject([{ isRecovered: true }]);
  const weights = (state: object) => (state as { tensors: object }).tensors;
  expect(weights(states[1])).toEqual(weights(undisturbed.states[1]));
});

describe.each([
  [
    'IMPALA',
    (curriculum: object[]) =>
      new IMPALAConfig()
        .environment({ env: 'CartPole-v1', curriculum: curriculum as never })
        .training({ lag: 2 })
        .envRunners({ numEnvs: 4, rolloutLength: 8 }),
  ],
  [
    'DQN',
    (curriculum: object[]) =>
      new DQNConfig()
        .environment({ env: 'CartPole-v1', curriculum: curriculum as never })
        .training({ replayCapacity: 2000, learningStarts: 300 })
        .envRunners({ numEnvs: 4 }),
  ],
] as const)('%s', (_, configFor) => {
  const stages = [{ options: { maxEpisodeSteps: 9 } }, { options: { maxEpisodeSteps: 30 }, fromStep: 1 }];

  test('the same run with two workers, another than without', async () => {
    const learnt = async (numEnvRunners: number, curriculum: object[]) => {
      const algorithm = await configFor(curriculum)
        .envRunners({ numEnvRunners })
        .debugging({ seed: 1 })
        .build();
      for (let k = 0; k < 3; k++) await algorithm.train();
      const state = comparable(await algorithm.getState());
      await algorithm.stop();
      return state;
    };
    const alone = await learnt(0, stages);
    expect(await learnt(2, stages)).toEqual(alone);
    expect(await learnt(0, stages.slice(0, 1))).not.toEqual(alone);
  });
});

test('a stage that changes nothing: the run without a curriculum, wrappers and previous inputs included', async () => {
  const learnt = async (curriculum: unknown) => {
    const algorithm = await new PPOConfig()
      .environment({ env: 'CartPole-v1', previousInputs: 'both', curriculum: curriculum as never })
      .environment({ wrappers: [{ name: 'stickyAction' }, { name: 'timeLimit', maxEpisodeSteps: 12 }] })
      .envRunners({ numEnvRunners: 0, numEnvs: 3, rolloutLength: 32, normalizeObservations: true })
      .training({ minibatchSize: 48, numEpochs: 1 })
      .build();
    for (let k = 0; k < 3; k++) await algorithm.train();
    const { tensors } = await algorithm.getState();
    await algorithm.stop();
    return tensors;
  };
  const plain = await learnt(null);
  expect(await learnt([{ options: {} }])).toEqual(plain);
  expect(await learnt([{ options: {} }, { options: {}, fromStep: 1 }])).toEqual(plain);
  expect(await learnt([{ options: {} }, { options: { maxEpisodeSteps: 10 }, fromStep: 1 }])).not.toEqual(
    plain,
  );
});

describe('setEnvOptions', () => {
  const cartPole = (numEnvRunners: number) =>
    new PPOConfig()
      .environment('CartPole-v1')
      .envRunners({ numEnvRunners, numEnvs: 4, rolloutLength: 32 })
      .training({ minibatchSize: 64, numEpochs: 1 })
      .debugging({ seed: 9 })
      .build();
  const lengths = async (algorithm: Algorithm) =>
    (await algorithm.train()).episodes.map((e) => e.episodeLength);

  test('running episodes keep theirs, the next ones have the new ones, and a resume goes on with them', async () => {
    const algorithm = await cartPole(2);
    const path = join(temporaryFolder(), 'saved');
    await algorithm.train();
    await algorithm.setEnvOptions?.({ maxEpisodeSteps: 6 });
    await algorithm.setEnvOptions?.({ maxEpisodeSteps: 5 });
    const first = (await algorithm.train()).episodes;
    expect(first.length).toBeGreaterThan(8);
    const seen = new Set<number>();
    for (const { envIndex, episodeLength } of first) {
      if (seen.has(envIndex)) expect(episodeLength).toBeLessThanOrEqual(5);
      seen.add(envIndex);
    }
    expect(Math.max(...first.map(({ episodeLength }) => episodeLength))).toBeGreaterThan(6);
    await algorithm.save(path);
    const expected = [await lengths(algorithm), comparable(await algorithm.getState())];
    await algorithm.stop();
    const resumed = await Algorithm.fromCheckpoint(path, { envRunners: { numEnvRunners: 0 } });
    expect([await lengths(resumed), comparable(await resumed.getState())]).toEqual(expected);
    await resumed.stop();
  });

  test('in process as in threads', async () => {
    const told = async (numEnvRunners: number) => {
      const algorithm = await cartPole(numEnvRunners);
      await algorithm.train();
      await algorithm.setEnvOptions?.({ maxEpisodeSteps: 5 });
      await algorithm.train();
      const state = comparable(await algorithm.getState());
      await algorithm.stop();
      return state;
    };
    expect(await told(0)).toEqual(await told(3));
  });

  test('an unknown option is refused, and nothing has changed', async () => {
    const algorithm = await cartPole(1);
    await expect(algorithm.setEnvOptions?.({ gravityy: 3 })).rejects.toThrow(
      /Unknown option `gravityy` of CartPole-v1/,
    );
    await algorithm.train();
    await algorithm.stop();
  });
});

describe('refused', () => {
  const build = async (curriculum: unknown, env = 'TMaze-v0') => {
    const algorithm = await new PPOConfig()
      .environment({
        env,
        envOptions: env === PROBE ? { actions: 'discrete' } : {},
        curriculum: curriculum as never,
      })
      .envRunners({ numEnvRunners: 0, numEnvs: 2, rolloutLength: 32 })
      .training({ minibatchSize: 64, numEpochs: 1 })
      .build();
    try {
      for (let k = 0; k < 4; k++) await algorithm.train();
    } finally {
      await algorithm.stop();
    }
  };

  test.each([
    [
      'an option that the environment does not know',
      [{ options: { lenght: 3 } }],
      /Unknown option `lenght` of TMaze-v0\. It has: length/,
    ],
    [
      'one in a later stage',
      [{ options: {} }, { options: { lenght: 3 }, fromStep: 9 }],
      /Unknown option `lenght`/,
    ],
    [
      'a value out of bounds',
      [{ options: { length: 0 } }],
      /`length` of TMaze-v0 to be an integer in \[1, 10000\], got 0/,
    ],
    ['a later stage without a condition', [{ options: {} }, { options: {} }], /Expected `curriculum`/],
    ['a condition on the first stage', [{ options: {}, fromStep: 3 }], /Expected `curriculum`/],
    ['a bound without a metric', [{ options: {} }, { options: {}, atLeast: 3 }], /Expected `curriculum`/],
    [
      'a metric without a bound',
      [{ options: {} }, { options: {}, metric: 'env/x' }],
      /Expected `curriculum`/,
    ],
    ['no stages', [], /Expected `curriculum`/],
    ['what looks like no module', 'grow', /Expected `curriculum`/],
    ['a module that is not there', './nowhere.ts#grow', /nowhere\.ts/],
    [
      'a metric of the clock',
      [{ options: {} }, { options: {}, metric: 'time/learnMs', atLeast: 1 }],
      /`time\/learnMs` follows from the clock/,
    ],
    [
      'a metric that never comes',
      [{ options: {} }, { options: {}, metric: 'env/succes', atLeast: 1, minEpisodes: 1 }],
      /waits for the metric `env\/succes`/,
    ],
  ])('%s', async (_, curriculum, message) => {
    await expect(build(curriculum)).rejects.toThrow(message);
  });

  test("an option that a user's environment never looks at", async () => {
    await build([{ options: { scale: 2 } }], PROBE);
    await expect(build([{ options: { scael: 2 } }], PROBE)).rejects.toThrow(
      /never looks at the option `scael`/,
    );
  });

  test('setEnvOptions beside hindsight', async () => {
    const algorithm = await new DQNConfig()
      .environment({ env: 'BitFlip-v0', envOptions: { numBits: 3 } })
      .envRunners({ numEnvRunners: 0 })
      .training({ hindsight: 'future', hiddenSizes: [8] })
      .build();
    await expect(algorithm.setEnvOptions?.({ numBits: 3 })).rejects.toThrow(/does not go with `hindsight`/);
    await algorithm.stop();
  });

  test('setEnvOptions beside a curriculum', async () => {
    const algorithm = await mazes(0).build();
    await expect(algorithm.setEnvOptions?.({ length: 3 })).rejects.toThrow(/curriculum of this run decides/);
    await algorithm.stop();
  });

  test.each([
    [
      'gives a number',
      'export default () => 3',
      /Expected the curriculum .* to give an object of JSON values/,
    ],
    ['gives what JSON cannot hold', 'export default () => ({ length: NaN })', /object of JSON values/],
    ['throws', 'export default () => { throw new Error("no idea"); }', /threw after 0 steps: no idea/],
    ['is none', 'export default 3', /to be a function of the progress, got number/],
    ['names an unknown option', 'export default () => ({ lenght: 3 })', /Unknown option `lenght`/],
  ])('a module whose function %s', async (_, source, message) => {
    const path = join(temporaryFolder(), 'curriculum.mjs');
    writeFileSync(path, source);
    await expect(build(path)).rejects.toThrow(message);
  });
});

test('a checkpoint brings no curriculum of its own: a module needs consent, a list does not', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'grow.mjs');
  writeFileSync(path, 'export default () => ({ length: 2 })');
  const module = await mazes(0, path).build();
  await module.save(join(folder, 'module'));
  await module.stop();
  await expect(Algorithm.fromCheckpoint(join(folder, 'module'))).rejects.toThrow(
    /environment\.curriculum: .*grow\.mjs/,
  );
  await (await Algorithm.fromCheckpoint(join(folder, 'module'), {}, { trust: true })).stop();
  const list = await mazes(0).build();
  await list.save(join(folder, 'list'));
  await list.stop();
  await (await Algorithm.fromCheckpoint(join(folder, 'list'))).stop();
});

test('a resume with another curriculum, or none, goes by what it is given', async () => {
  const path = join(temporaryFolder(), 'saved');
  const algorithm = await mazes(0).build();
  for (let k = 0; k < 3; k++) await algorithm.train();
  await algorithm.save(path);
  await algorithm.stop();
  const next = async (curriculum: unknown) => {
    const resumed = await Algorithm.fromCheckpoint(path, { environment: { curriculum } as never });
    await resumed.train();
    const { json } = await resumed.getState();
    await resumed.stop();
    const { options, next: k } = json['environments.json'].envOptions as { options: object[]; next: number };
    return options[k];
  };
  expect(await next(null)).toEqual({});
  expect(await next([{ options: { length: 3 } }])).toEqual({ length: 3 });
});
