/** Actions of mixed kinds on TensorFlow. */
import { expect, it } from 'vitest';
import { hybridPpo } from './fixtures/hybrid-ppo.ts';

it('acts centrally and learns on TensorFlow', async () => {
  const algorithm = await hybridPpo(0)
    .envRunners({ inference: 'central' })
    .learners({ engine: 'tensorflow', backend: 'wasm' })
    .build();
  let last = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < 15; k++) last = (await algorithm.train()).episodeReturnMean ?? last;
  await algorithm.stop();
  expect(last).toBeGreaterThan(5); // at random 3.7
});
