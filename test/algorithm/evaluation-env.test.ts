/** Evaluation in another environment than training's: the same episodes under other options, in every thread. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { evaluatePolicy } from '../../src/algorithm/evaluate-policy.ts';
import { resolveEnv } from '../../src/env/env-source.ts';
import { PPOConfig } from '../../src/index.ts';
import type { JsonObject } from '../../src/json.ts';
import probeEnv from '../conformance/probe-env.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const PROBE = fileURLToPath(new URL('../conformance/probe-env.ts', import.meta.url));

async function open(evaluation: object, numEnvRunners = 0) {
  const algorithm = await new PPOConfig()
    .environment(PROBE, { actions: 'discrete' })
    .envRunners({ numEnvRunners, numEnvs: 4, rolloutLength: 16 })
    .training({ minibatchSize: 32, hiddenSizes: [8] })
    .evaluation({ evaluationEpisodes: 5, evaluationInterval: 1, ...evaluation })
    .build();
  onTestFinished(() => algorithm.stop());
  return algorithm;
}

/** The probe multiplies its rewards by `scale`, and nothing else follows from it. */
const harder: JsonObject = { actions: 'discrete', scale: 3 };

test.each([0, 2])(
  'plays the same episodes there, with %i runners, and training does not notice',
  async (n) => {
    const plain = await open({}, n);
    const { evaluation: expected, metrics } = await plain.train();
    for (const options of [
      { evaluationEnvOptions: { scale: 3 } },
      { evaluationEnv: PROBE, evaluationEnvOptions: harder },
    ]) {
      const algorithm = await open(options, n);
      const { evaluation, metrics: told } = await algorithm.train();
      expect(evaluation?.returns).toEqual(expected?.returns.map((value) => 3 * value));
      expect(told['train/policyLoss']).toBe(metrics['train/policyLoss']);
      expect([told['evaluation/episodeReturnLow'], told['evaluation/episodeReturnHigh']]).toEqual(
        evaluation?.returnInterval,
      );
    }
  },
);

test('a saved policy plays them, too, without its run', async () => {
  const algorithm = await open({});
  const path = await algorithm.save(join(temporaryFolder(), 'saved'));
  const options = { numEpisodes: 5, deterministic: true, seed: 3 };
  const expected = await algorithm.evaluate(options);
  const elsewhere = { ...options, numEnvs: 2, trust: false };
  expect(
    await evaluatePolicy(path, { ...elsewhere, source: resolveEnv(PROBE, { actions: 'discrete' }) }),
  ).toEqual(expected);
  const { returns } = await evaluatePolicy(path, { ...elsewhere, source: resolveEnv(PROBE, harder) });
  expect(returns).toEqual(expected.returns.map((value) => 3 * value));
  await expect(
    evaluatePolicy(path, { ...elsewhere, source: resolveEnv(PROBE, { actions: 'continuous' }) }),
  ).rejects.toMatchObject({ code: 'CONFIG_EVALUATION_ENV' });
});

test('refuses other spaces, and a function that cannot reach the threads', async () => {
  await expect(open({ evaluationEnvOptions: { actions: 'continuous' } })).rejects.toMatchObject({
    code: 'CONFIG_EVALUATION_ENV',
    message: expect.stringMatching(/has observations .*trained for/),
  });
  const evaluationEnv = () => probeEnv({ actions: 'discrete' });
  await expect(open({ evaluationEnv }, 1)).rejects.toThrow(
    /`evaluationEnv` is a function.*numEnvRunners to 0/,
  );
  const algorithm = await open({ evaluationEnv });
  expect((await algorithm.evaluate()).returns).toHaveLength(5);
});
