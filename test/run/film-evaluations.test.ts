/** Films of evaluations during a run: the episodes that were evaluated, step by step. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodeFrames } from 'modern-gif';
import { expect, test } from 'vitest';
import { DQNConfig, PPOConfig } from '../../src/index.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const PROBE = fileURLToPath(new URL('../conformance/probe-env.ts', import.meta.url)); // it has no render

const ppo = () =>
  new PPOConfig()
    .environment('CartPole-v1')
    .envRunners({ numEnvRunners: 0, numEnvs: 2, rolloutLength: 16, normalizeObservations: true })
    .training({ numEpochs: 1, minibatchSize: 32, hiddenSizes: [8] })
    .stopping({ stopIterations: 4 });
const dqn = () =>
  new DQNConfig()
    .environment('CartPole-v1')
    .envRunners({ numEnvRunners: 0, numEnvs: 2 })
    .training({ learningStarts: 64, stepsPerIteration: 64, hiddenSizes: [8], replayCapacity: 500 })
    .stopping({ stopIterations: 4 });

test.each([
  ['ppo', ppo],
  ['dqn', dqn],
])('%s: the first episodes of each evaluation, and training does not notice', async (_, builder) => {
  const lengths: Record<string, number> = {};
  const run = (films: number) => {
    const out = join(temporaryFolder(), 'run');
    const evaluation = { evaluationInterval: 2, evaluationEpisodes: 3, evaluationFilms: films };
    const summary = builder()
      .evaluation({ ...evaluation, evaluationEnvOptions: { maxEpisodeSteps: 40 } })
      .checkpointing({ out })
      .callbacks({
        onEvaluate({ iteration, evaluation: { lengths: played } }) {
          for (let k = 0; k < films; k++) lengths[`00000${iteration}-${k}.gif`] = played[k];
        },
      })
      .run();
    return summary.then(({ metrics }) => ({
      out,
      loss: metrics['train/valueLoss'] ?? metrics['train/loss'],
    }));
  };
  const filmed = await run(2);
  const folder = join(filmed.out, 'films');
  expect(readdirSync(folder).sort()).toEqual(Object.keys(lengths).sort());
  expect(Object.keys(lengths)).toHaveLength(4);
  for (const [name, length] of Object.entries(lengths))
    expect(decodeFrames(Uint8Array.from(readFileSync(join(folder, name)))), name).toHaveLength(length + 1);
  const plain = await run(0);
  expect(existsSync(join(plain.out, 'films'))).toBe(false);
  expect(plain.loss).toBe(filmed.loss);
  expect(plain.loss).toBeTypeOf('number');
});

test('several agents: the first episodes of each evaluation', async () => {
  const out = join(temporaryFolder(), 'run');
  const lengths: number[] = [];
  await new PPOConfig()
    .environment('PongDuel-v0', { points: 1, maxEpisodeSteps: 90 })
    .envRunners({ numEnvRunners: 0, numEnvs: 2, rolloutLength: 16 })
    .training({ numEpochs: 1, minibatchSize: 32, hiddenSizes: [8] })
    .evaluation({ evaluationInterval: 2, evaluationEpisodes: 3, evaluationFilms: 2 })
    .checkpointing({ out })
    .stopping({ stopIterations: 2 })
    .callbacks({ onEvaluate: ({ evaluation }) => void lengths.push(...evaluation.lengths) })
    .run();
  const films = [0, 1].map((k) => readFileSync(join(out, 'films', `000002-${k}.gif`)));
  expect(films.map((film) => decodeFrames(Uint8Array.from(film)).length - 1)).toEqual(lengths.slice(0, 2));
  expect(lengths[0]).toBeGreaterThan(20);
});

test('what cannot be filmed is told, and films of no evaluation are refused', async () => {
  const warnings: string[] = [];
  const text = () => ppo().evaluation({ evaluationInterval: 4, evaluationEpisodes: 1, evaluationFilms: 1 });
  await text()
    .environment(PROBE, { actions: 'discrete' })
    .checkpointing({ out: join(temporaryFolder(), 'run') })
    .run({ onWarning: ({ message }) => warnings.push(message) });
  expect(warnings.join()).toMatch(/render/);
  await expect(text().evaluation({ evaluationInterval: null }).build()).rejects.toThrow(
    /evaluationFilms \(1\) films evaluations, and there are none/,
  );
  await expect(text().evaluation({ evaluationFilms: 2 }).build()).rejects.toThrow(
    /evaluationFilms \(2\) must not exceed evaluationEpisodes \(1\)/,
  );
});
