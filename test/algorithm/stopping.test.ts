/** What ends a call before its time: stop(), an AbortSignal, and the bound of an evaluation. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { loadCheckpoint } from '../../src/checkpoint/load-checkpoint.ts';
import { DQNConfig, type Env, PPOConfig } from '../../src/index.ts';
import { episodeSeed } from '../../src/random/streams.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import endless, { LENGTH } from './fixtures/endless-env.ts';

const ENDLESS = fileURLToPath(new URL('./fixtures/endless-env.ts', import.meta.url));

function config(numEnvRunners: number, engine: 'simd' | 'tensorflow' = 'simd') {
  return new PPOConfig()
    .environment(ENDLESS)
    .envRunners({ numEnvRunners, numEnvs: 2, rolloutLength: 16 })
    .training({ numEpochs: 1, minibatchSize: 16, hiddenSizes: [8], sharedLayers: false })
    .learners(engine === 'simd' ? { engine } : { engine, backend: 'wasm' })
    .evaluation({ evaluationEpisodes: 9, evaluationSeed: 3, evaluationMaxEpisodeSteps: 1e9 });
}

async function open(builder: { build(): ReturnType<PPOConfigOf['build']> }) {
  const algorithm = await builder.build();
  onTestFinished(() => algorithm.stop());
  return algorithm;
}
type PPOConfigOf = InstanceType<typeof PPOConfig>;

const CENTRAL = [0, 'tensorflow', { inference: 'central' }] as const;

describe('stop', () => {
  it.each([0, 2])('during train says that it was stopped: %i runners', async (numEnvRunners) => {
    const long = { numEnvRunners, numEnvs: 4 };
    for (const builder of [
      config(numEnvRunners)
        .envRunners({ ...long, rolloutLength: 4096 })
        .training({ numEpochs: 20 }),
      new DQNConfig()
        .environment(ENDLESS)
        .envRunners(long)
        .training({ learningStarts: 64, hiddenSizes: [8] }),
    ]) {
      const algorithm = await open(builder as never);
      const training = algorithm.train();
      const outcome = expect(training).rejects.toMatchObject({
        name: 'StoppedError',
        code: 'STOPPED_ALGORITHM',
        message: expect.stringContaining('was stopped during `train`'),
      });
      await Promise.all([algorithm.stop(), algorithm.stop()]);
      await outcome;
      for (const call of [
        () => algorithm.train(),
        () => algorithm.evaluate(),
        () => algorithm.getState(),
        () => algorithm.save(join(temporaryFolder(), 'checkpoint')),
      ]) {
        await expect(call()).rejects.toMatchObject({
          code: 'STOPPED_ALGORITHM',
          message: expect.stringMatching(/cannot `\w+` any more: stop\(\) was called/),
        });
      }
    }
  });
});

describe('an AbortSignal', () => {
  it('that came before leaves everything as it is', async () => {
    const algorithm = await open(config(0));
    const reason = new Error('not now');
    const signal = AbortSignal.abort(reason);
    await expect(algorithm.train({ signal })).rejects.toBe(reason);
    await expect(algorithm.evaluate({ signal })).rejects.toBe(reason);
    expect(algorithm.iteration).toBe(0);
    await algorithm.train({ signal: new AbortController().signal });
    expect(algorithm.iteration).toBe(1);
  });

  it.each([
    ['in process', 0, 'simd', {}],
    ['in worker threads', 2, 'simd', {}],
    ['under central inference', ...CENTRAL],
  ] as const)(
    'cuts an evaluation without an end, and the run goes on: %s',
    async (_, runners, engine, more) => {
      const algorithm = await open(
        config(runners, engine).envRunners(more).evaluation({ evaluationInterval: 1 }),
      );
      const controller = new AbortController();
      const training = algorithm.train({ signal: controller.signal });
      const isOver = await Promise.race([training.then(() => true), sleep(100, false)]);
      expect(isOver).toBe(false);
      controller.abort();
      const result = await training;
      expect(result.isEvaluationCut).toBe(true);
      expect(result.evaluation).toBeUndefined();
      expect(result.metrics['evaluation/numEpisodes']).toBeUndefined();
      const evaluating = algorithm.evaluate({ signal: AbortSignal.timeout(50) });
      await expect(evaluating).rejects.toMatchObject({ name: 'TimeoutError' });
      const { lengths } = await algorithm.evaluate({ maxEpisodeSteps: 30 });
      expect(lengths.every((length) => length === LENGTH || length === 30)).toBe(true);
    },
  );

  it('ends a run in its evaluation, with a checkpoint; whoever resumes it evaluates first', async () => {
    const out = join(temporaryFolder(), 'run');
    const controller = new AbortController();
    const env = (): Env => {
      const inner = endless();
      let t = 0;
      return {
        ...inner,
        reset(options) {
          t = 0;
          return inner.reset(options);
        },
        step(action) {
          t += 1;
          if (t === 100) controller.abort(); // an episode of the evaluation: training has taken 16 steps of one at most
          return inner.step(action);
        },
      };
    };
    const builder = config(0)
      .environment(env)
      .checkpointing({ out })
      .evaluation({ evaluationInterval: 1 })
      .stopping({ stopIterations: 2 });
    const first = await builder.run({ signal: controller.signal });
    expect(first).toMatchObject({ stopReason: 'interrupted', iterations: 1, lastEvaluation: null });
    const { content } = await loadCheckpoint(out);
    expect(content.json['run.json']).toMatchObject({ isEvaluationDue: true });
    const told: string[] = [];
    const second = await builder
      .copy()
      .evaluation({ evaluationMaxEpisodeSteps: 30 })
      .callbacks({ onEvaluate: ({ iteration }) => void told.push(`evaluation of ${iteration}`) })
      .run({ resume: out, onWarning: ({ kind, message }) => void told.push(`${kind}: ${message}`) });
    expect(second).toMatchObject({ stopReason: 'stopIterations', iterations: 2 });
    expect(second.best?.measure).toBe('evaluation');
    expect(told.filter((line) => line.startsWith('evaluation of'))).toEqual([
      'evaluation of 1',
      'evaluation of 2',
    ]);
    expect(told.find((line) => line.startsWith('evaluation: '))).toMatch(
      /\d of 9 evaluation episodes had no end/,
    );
    expect(existsSync(join(out, 'best'))).toBe(true);
    const rows = readFileSync(join(out, 'progress.jsonl'), 'utf8').trimEnd().split('\n');
    const numEpisodes = rows.map((row) => JSON.parse(row)['evaluation/numEpisodes']);
    expect(numEpisodes).toEqual([9, 9]); // the late one is in the row of its iteration
  });
});

describe('the bound of an evaluation', () => {
  it('cuts episodes that do not end, tells how many, and leaves the others as they are', async () => {
    const seeds = Array.from({ length: 9 }, (_, k) => episodeSeed(3, k, 0, 'evaluation'));
    const lengths = seeds.map((seed) => (seed % 2 === 1 ? LENGTH : 40));
    expect(new Set(lengths).size).toBe(2);
    for (const [numEnvRunners, evaluationNumEnvs, engine, more] of [
      [0, 1, 'simd', {}],
      [0, 4, 'simd', {}],
      [2, 20, 'simd', {}],
      [0, 4, 'tensorflow', { inference: 'central' }],
    ] as const) {
      const builder = config(numEnvRunners, engine).envRunners(more);
      const algorithm = await open(builder.evaluation({ evaluationNumEnvs, evaluationMaxEpisodeSteps: 40 }));
      const result = await algorithm.evaluate({ numEpisodes: 9, seed: 3 });
      expect(result.lengths).toEqual(lengths);
      expect(result.returns).toEqual(lengths);
      expect(result.numEpisodesCut).toBe(lengths.filter((length) => length === 40).length);
    }
  });
});
