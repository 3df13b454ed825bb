/** It learns: the probe environment, whose best action the observation names. And everything that it tells is declared. */
import { describe, expect, test } from 'vitest';
import { SHARED_METRICS } from '../../src/metrics/metric-keys.ts';
import { names, subjectOf } from './subject.ts';

describe.each(names)('%s', async (name) => {
  const subject = await subjectOf(name);
  const { learns, values } = subject.settings;

  test('finds what the probe environment asks for', async () => {
    const algorithm = await subject.build(learns.values);
    try {
      const before = await algorithm.evaluate({ numEpisodes: 50 });
      for (let k = 0; k < learns.numIterations; k++) await algorithm.train();
      const after = await algorithm.evaluate({ numEpisodes: 50 });
      expect(before.returnMean).toBeLessThan(learns.returnAtLeast);
      expect(after.returnMean).toBeGreaterThanOrEqual(learns.returnAtLeast);
    } finally {
      await algorithm.stop();
    }
  });

  test('tells finite numbers, all of them declared; and its headline', async () => {
    const { metrics: own, headline } = subject.definition;
    const algorithm = await subject.build(values);
    try {
      const told = new Set<string>();
      for (let k = 0; k < 4; k++) {
        for (const [key, value] of Object.entries((await algorithm.train()).metrics)) {
          expect([key, key in SHARED_METRICS || key in own, Number.isFinite(value)]).toEqual([
            key,
            true,
            true,
          ]);
          told.add(key);
        }
      }
      expect(Object.keys(headline).filter((key) => !told.has(key))).toEqual([]);
    } finally {
      await algorithm.stop();
    }
  });
});
