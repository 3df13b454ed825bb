/** PPO with attention over past steps, end to end on TensorFlow: acting, exactness, and what it goes together with. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openExportSource } from '../../../src/export/policy-source.ts';
import { Algorithm, loadPolicy } from '../../../src/index.ts';
import { loadModel } from '../../../src/serve/load-model.ts';
import { runOut, subjectOf, type Values } from '../../conformance/subject.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

const subject = await subjectOf('ppo');

/** Episodes of the probe end in the middle of sequences, and rollouts in the middle of episodes. */
const attention: Values = {
  envRunners: { numEnvs: 6, rolloutLength: 18 },
  learners: { engine: 'tensorflow', backend: 'cpu' },
  training: {
    ...{ recurrent: 'attention', recurrentSize: 8, attentionHeads: 2, attentionWindow: 5 },
    ...{ sequenceLength: 6, minibatchSize: 54, numEpochs: 2, sharedLayers: true },
  },
};
const workers = (numEnvRunners: number): Values => ({ envRunners: { numEnvRunners } });
const build = (...values: Values[]) => subject.build(subject.settings.values, attention, ...values);
const undisturbed = build(workers(0)).then((algorithm) => runOut(algorithm, 3));

test('what was collected has the log-probabilities that learning finds again: nothing has moved before the first step', async () => {
  const once = { training: { numEpochs: 1, minibatchSize: 108, recurrentLayers: 2, sharedLayers: false } };
  const algorithm = await build(once);
  for (let k = 0; k < 2; k++) {
    const { metrics } = await algorithm.train();
    expect(Math.abs(metrics['train/approxKl'])).toBeLessThan(1e-9);
  }
  await algorithm.stop();
});

test('three workers give the same run, and so does one after a worker has died', async () => {
  expect(await build(workers(3)).then((algorithm) => runOut(algorithm, 3))).toEqual(await undisturbed);
  const exitFile = join(temporaryFolder(), 'exit');
  const { actions } = subject.settings;
  const killed = await build(workers(2), { environment: { envOptions: { actions, exitFile } } });
  expect(await runOut(killed, 3)).toEqual(await undisturbed);
});

test('resumed in the middle of episodes it is the unbroken one', async () => {
  const first = await build(workers(0));
  await first.train();
  const states = (await first.getState()).tensors['environments.safetensors'];
  expect(states.episodeSteps.data.some((steps) => steps > 0)).toBe(true);
  expect(states.recurrentStates.data.some((value) => value !== 0)).toBe(true);
  const path = await first.save(join(temporaryFolder(), 'saved'));
  const expected = await runOut(first, 2);
  const resumed = await Algorithm.fromCheckpoint(path, workers(2), { trust: true });
  expect(await runOut(resumed, 2)).toEqual(expected);
});

test('an actor keeps its window and forgets it on reset; what cannot keep it says so', async () => {
  const algorithm = await build({
    environment: { env: 'CartPoleNoVelocity-v0', envOptions: {} },
    training: { policyGain: 3 },
  });
  await algorithm.train();
  const path = await algorithm.save(join(temporaryFolder(), 'saved'));
  const evaluated = await algorithm.evaluate({ numEpisodes: 3, seed: 5 });
  await algorithm.stop();
  const resumed = await Algorithm.fromCheckpoint(path, {}, { trust: true });
  expect(await resumed.evaluate({ numEpisodes: 3, seed: 5 })).toEqual(evaluated);
  await resumed.stop();
  const policy = await loadPolicy(path);
  const observations = Array.from({ length: 40 }, (_, t) => [Math.sin(t), Math.cos(t) / 5]);
  const actor = policy.actor();
  const play = () => observations.map((observation) => actor.act(observation)).join('');
  const episode = play();
  actor.reset();
  expect(play()).toBe(episode);
  expect(observations.map((observation) => policy.actor().act(observation)).join('')).not.toBe(episode); // or memory showed in nothing
  expect(() => policy.actBatch(observations)).toThrow(/remembers/);
  expect(() => policy.inspect(observations[0])).toThrow(/attention/);

  const model = await loadModel({ name: 'default', path }, { maxRows: 4, kernelsOnly: true });
  let states: Float32Array | null = null;
  const served: number[] = [];
  for (const observation of observations) {
    const rows = { observations: Float32Array.from(observation), masks: null, states, numRows: 1 };
    const [answer] = await model.run([rows]);
    states = answer.states;
    served.push(answer.actions[0]);
  }
  expect(served.join('')).toBe(episode);
  expect(model.stateLayout).toBe('windows of 1 x 5 x 8');
  await expect(openExportSource(path)).rejects.toThrow(
    /an export covers MLPs, .* attention over its past steps/,
  );
});
