/** Actions of mixed kinds on their way into a kernel: their numbers keep their fractions, also where one environment steps alone. */
import { expect, test } from 'vitest';
import { hybridMove } from '../../envs/hybrid-move.ts';

test('a single environment gets the numbers that it was given', async () => {
  const stepped = async (amount: number) => {
    const env = await hybridMove({});
    await env.reset({ seed: 3 });
    const result = await env.step({ manoeuvre: 0, amount: [amount], angle: [0.25] });
    await env.close?.();
    return [...(result.observation as Float32Array)];
  };
  const [none, half, whole] = [await stepped(0), await stepped(0.5), await stepped(1)];
  expect(half).not.toEqual(none);
  expect(half).not.toEqual(whole);
});
