/** PPO with a recurrent policy: what is learnt from is what was done, on both engines, and what an actor keeps. Exactness: test/conformance/recurrent.test.ts. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openPolicyActor } from '../../../src/algorithm/load-policy.ts';
import { Algorithm, loadPolicy } from '../../../src/index.ts';
import { subjectOf, type Values } from '../../conformance/subject.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

const subject = await subjectOf('ppo');

/** Episodes of the probe end in the middle of sequences, and rollouts in the middle of episodes. */
const recurrent = (cell: 'lstm' | 'gru', sharedLayers = false): Values => ({
  envRunners: { rolloutLength: 18 },
  training: {
    ...{ recurrent: cell, recurrentSize: 10, sequenceLength: 6, sharedLayers },
    ...(cell === 'gru' && { recurrentLayers: 2, recurrentPosition: 'last' }),
  },
});

test('what was collected has the log-probabilities that learning finds again: nothing has moved before the first step', async () => {
  for (const cell of ['lstm', 'gru'] as const) {
    const algorithm = await subject.build(subject.settings.plain, recurrent(cell), {
      envRunners: { numEnvs: 6, rolloutLength: 36 },
      training: { numEpochs: 1, minibatchSize: 216 },
    });
    const divergences: number[] = [];
    for (let k = 0; k < 3; k++) divergences.push((await algorithm.train()).metrics['train/approxKl']);
    await algorithm.stop();
    // k2-like estimates of two float32 roundings; a state that was not cleared, or cleared too late, gives 1e-5 and more
    for (const divergence of divergences) expect(Math.abs(divergence)).toBeLessThan(1e-9);
  }
});

test('TensorFlow learns from the same rollouts what the kernels do', async () => {
  const weights = async (engine: 'simd' | 'tensorflow') => {
    const learners = engine === 'simd' ? { engine } : { engine, backend: 'cpu' };
    const size = {
      envRunners: { numEnvs: 4, rolloutLength: 12 },
      training: { minibatchSize: 24, numEpochs: 2 },
    };
    const algorithm = await subject.build(subject.settings.plain, recurrent('lstm'), size, { learners });
    for (let k = 0; k < 2; k++) await algorithm.train();
    const { tensors } = await algorithm.getState();
    await algorithm.stop();
    return Object.values(tensors['policies/default/weights.safetensors']).flatMap(({ data }) =>
      [...data].map(Number),
    );
  };
  const [simd, tensorflow] = [await weights('simd'), await weights('tensorflow')];
  expect(tensorflow.length).toBe(simd.length);
  expect(Math.max(...simd.map((value, k) => Math.abs(value - tensorflow[k])))).toBeLessThan(1e-4);
});

test('an actor remembers its episode, forgets it on reset, and shares it with nobody', async () => {
  const algorithm = await subject.build(subject.settings.values, recurrent('lstm'), {
    environment: { env: 'CartPoleNoVelocity-v0', envOptions: {} },
    training: { policyGain: 3 },
  });
  await algorithm.train();
  const path = await algorithm.save(join(temporaryFolder(), 'saved'));
  const evaluated = await algorithm.evaluate({ numEpisodes: 3, seed: 5 });
  await algorithm.stop();
  const policy = await loadPolicy(path);
  const observations = Array.from({ length: 60 }, (_, t) => [Math.sin(t), Math.cos(t) / 5]);
  const play = (actor: ReturnType<typeof policy.actor>) => observations.map((o) => actor.act(o)).join('');
  const actor = policy.actor();
  const episode = play(actor);
  expect(new Set(episode).size).toBe(2);
  const goneOn = play(actor);
  actor.reset();
  expect(play(actor)).toBe(episode);
  actor.reset();
  const other = policy.actor();
  const turns = observations.map((o) => [actor.act(o), other.act(o)]);
  expect(turns.map(([action]) => action).join('')).toBe(episode);
  expect(turns.map(([, action]) => action).join('')).toBe(episode);
  const fresh = observations.map((o) => policy.actor().act(o)).join('');
  expect([goneOn, fresh]).not.toEqual([episode, episode]); // or memory showed in nothing
  expect(() => policy.actBatch(observations)).toThrow(/remembers/);
  expect(() => policy.inspect(observations[0])).toThrow(/recurrent/);

  const resumed = await Algorithm.fromCheckpoint(path, {}, { trust: true });
  expect(await resumed.evaluate({ numEpisodes: 3, seed: 5 })).toEqual(evaluated);
  await resumed.stop();
});

test('rows that act together do not look into each other', async () => {
  const algorithm = await subject.build(subject.settings.values, recurrent('gru'), {
    environment: { env: 'CartPoleNoVelocity-v0', envOptions: {} },
  });
  await algorithm.train();
  const path = await algorithm.save(join(temporaryFolder(), 'saved'));
  await algorithm.stop();
  const { createActor, spec } = await openPolicyActor(path);
  const run = (numRows: number, forgetAt: (t: number, row: number) => boolean) => {
    const batch = createActor(numRows);
    if (!('actNow' in batch)) throw new Error('Expected kernels');
    return Array.from({ length: 20 }, (_, t) => {
      for (let r = 0; r < numRows; r++) {
        if (forgetAt(t, r)) batch.forget(r);
        for (let k = 0; k < spec.observationSize; k++)
          batch.observations[r * spec.observationSize + k] = Math.sin(t + k);
      }
      batch.actNow(numRows, true);
      return [...batch.actions.subarray(0, numRows)];
    });
  };
  const alone = run(1, () => false).map(([action]) => action);
  const together = run(7, (t, row) => row === 3 && t === 9);
  for (const row of [0, 2, 4, 6]) expect(together.map((actions) => actions[row])).toEqual(alone);
  const restarted = run(1, (t) => t === 9).map(([action]) => action);
  expect(together.map((actions) => actions[3])).toEqual(restarted);
});

test('states computed anew between epochs, or by a burn-in, are what acting found, as long as the weights are the same', async () => {
  const weights = async (recomputeStates: boolean, learningRate: number, burnIn = 0) => {
    const algorithm = await subject.build(subject.settings.plain, recurrent('lstm'), {
      envRunners: { numEnvs: 6, rolloutLength: 36, normalizeObservations: true },
      training: { numEpochs: 3, minibatchSize: 72, recomputeStates, burnIn, learningRate },
    });
    for (let k = 0; k < 2; k++) await algorithm.train();
    const { tensors } = await algorithm.getState();
    await algorithm.stop();
    return Object.values(tensors['policies/default/optimizer.safetensors']).flatMap(({ data }) =>
      [...data].map(Number),
    );
  };
  // with steps of size zero the moments are all that moves: the same to the bit, so the states were, too
  const [still, moving] = [await weights(false, 0), await weights(false, 1e-2)];
  expect(await weights(true, 0)).toEqual(still);
  expect(await weights(false, 0, 4)).toEqual(still);
  expect(await weights(true, 0, 6)).toEqual(still);
  expect(await weights(true, 1e-2)).not.toEqual(moving);
  expect(await weights(false, 1e-2, 4)).not.toEqual(moving);
});
