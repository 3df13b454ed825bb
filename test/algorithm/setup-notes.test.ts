import { describe, expect, it, onTestFinished } from 'vitest';
import type { Algorithm } from '../../src/algorithm/algorithm.ts';
import { setupNotes } from '../../src/algorithm/setup-notes.ts';
import { Box, Discrete, type Env, PPOConfig, SACConfig } from '../../src/index.ts';
import type { ActingSpec } from '../../src/policy/policy-spec.ts';

function still(observationSpace: Box, actionSpace: Box | Discrete): () => Env {
  const observation = new Float32Array(observationSpace.size);
  return () => ({
    observationSpace,
    actionSpace,
    reset: () => ({ observation }),
    step: () => ({ observation, reward: 1, terminated: false, truncated: true }),
  });
}

const image = new Box(0, 255, [4, 4, 3], 'uint8');
const turned = new Box(0, 255, [3, 16, 16], 'uint8');

async function notesOf(config: { build(): Promise<Algorithm> }): Promise<readonly string[] | undefined> {
  const algorithm = await config.build();
  onTestFinished(() => algorithm.stop());
  return algorithm.notes;
}

const onPPO = (observations: Box, actions: Box | Discrete, squashActions = false) =>
  notesOf(
    new PPOConfig()
      .environment(still(observations, actions))
      .envRunners({ numEnvs: 1, rolloutLength: 8 })
      .training({ minibatchSize: 8, hiddenSizes: [4], squashActions }),
  );

describe('setup notes', () => {
  it('tell of images that an MLP reads, and of channels that stand first', async () => {
    const bounds = new Box(-1, 1, [1]);
    expect(await onPPO(image, bounds)).toEqual([expect.stringContaining('the network is an MLP')]);
    expect(await onPPO(turned, bounds)).toEqual([
      expect.stringContaining('3 rows of 16 pixels with 16 channels'),
      expect.stringContaining('the network is an MLP'),
    ]);
    expect(await onPPO(new Box(0, 1, [4, 4, 3]), bounds)).toEqual([]);
    const spec = { network: { kind: 'conv' }, distribution: { kind: 'categorical', sizes: [2] } };
    const conv = {
      spec: spec as unknown as ActingSpec,
      observationSpace: image,
      actionSpace: new Discrete(2),
    };
    expect(setupNotes(conv)).toEqual([]);
  });

  it('tell of action bounds far from 1 where nothing scales to them', async () => {
    const plain = new Box(-1, 1, [2]);
    const far = new Box([-1, -500], [1, 500]);
    expect(await onPPO(plain, far)).toEqual([
      expect.stringMatching(/bounds \[-500, 500\].*squashActions: true/),
    ]);
    expect(await onPPO(plain, new Box(-0.01, 0.01, [1]))).toHaveLength(1);
    expect(await onPPO(plain, far, true)).toEqual([]);
    for (const high of [2, 10, Infinity]) expect(await onPPO(plain, new Box(-high, high, [1]))).toEqual([]);
    const sac = new SACConfig()
      .environment(still(plain, far))
      .envRunners({ numEnvs: 1 })
      .training({ hiddenSizes: [4] });
    expect(await notesOf(sac)).toEqual([]);
  });
});
