import { expect, test } from 'vitest';
import { surrogateLogProbs } from '../../../algorithms/appo/surrogate.ts';

test("PPO's ratio to what it gives is APPO's", () => {
  const mu = [0.5, 0.9, 0.2, 0.1, 1];
  const target = [0.5, 0.3, 0.4, 0.02, 0.5];
  const pi = [0.6, 0.5, 0.1, 0.05, 0.7];
  const logs = (values: readonly number[]) => Float32Array.from(values, Math.log);
  const old = new Float32Array(mu.length);
  surrogateLogProbs(logs(mu), logs(target), old);
  for (let i = 0; i < mu.length; i++) {
    const ratio = (Math.min(2, mu[i] / target[i]) * pi[i]) / mu[i];
    expect(pi[i] / Math.exp(old[i])).toBeCloseTo(ratio, 5);
  }
});
