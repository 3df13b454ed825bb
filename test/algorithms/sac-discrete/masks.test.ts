/** Masks and spaces of discrete SAC in a run. */
import { expect, it } from 'vitest';
import { Box, Discrete, type Env, MultiDiscrete, SACDiscreteConfig } from '../../../src/index.ts';

/** One action of three is allowed in a step, or two; any other ends the run. Reward 1 for the larger of what is allowed. */
const gates = (): Env => {
  let t = 0;
  const allowed = () => [t % 3, (t + (t % 2)) % 3];
  const mask = () => Uint8Array.from([0, 1, 2], (a) => (allowed().includes(a) ? 1 : 0));
  const now = () => ({ observation: [t % 3, t % 2], info: { actionMask: mask() } });
  return {
    observationSpace: new Box(0, 3, [2]),
    actionSpace: new Discrete(3),
    masksActions: true,
    reset() {
      t = 0;
      return now();
    },
    step(action) {
      if (!allowed().includes(action as number)) throw new Error(`The mask forbids ${action}.`);
      const reward = action === Math.max(...allowed()) ? 1 : 0;
      t += 1;
      return { ...now(), reward, terminated: t === 30, truncated: false };
    },
  };
};

const build = (env: () => Env) =>
  new SACDiscreteConfig()
    .environment(env)
    .envRunners({ numEnvRunners: 0, numEnvs: 2 })
    .learners({ engine: 'simd', numLearnerThreads: 1 })
    .training({ hiddenSizes: [32], learningStarts: 100, batchSize: 32, stepsPerIteration: 400, gamma: 0.5 })
    .training({ actorLearningRate: 3e-3, criticLearningRate: 3e-3, targetEntropyScale: 0.1 })
    .debugging({ seed: 1 })
    .build();

it('takes allowed actions alone, from the first step to the last, and learns among them', async () => {
  const algorithm = await build(gates);
  try {
    for (let k = 0; k < 4; k++) await algorithm.train();
    expect((await algorithm.evaluate({ numEpisodes: 4 })).returnMean).toBeGreaterThan(28);
  } finally {
    await algorithm.stop();
  }
});

it('refuses several choices at once, and says what is for them', async () => {
  const two = () => ({ ...gates(), actionSpace: new MultiDiscrete([3, 2]), masksActions: false });
  await expect(build(two)).rejects.toThrow(/one choice among actions.*Use dqn or ppo/);
});
