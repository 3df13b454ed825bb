/** Every algorithm learns from pictures through a convolutional network, on the TensorFlow engine, and its layers matter. */
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { names, type Subject, subjectOf, type Values } from './subject.ts';

const PICTURES = fileURLToPath(new URL('./picture-env.ts', import.meta.url));

const conv = ({ settings: { actions } }: Subject, filters: number): Values => ({
  environment: { env: PICTURES, envOptions: { actions } },
  learners: { engine: 'tensorflow' },
  training: { network: 'conv', convLayers: [[filters, 3, 1]] },
});

/** The weights before and after two iterations. */
async function learn(subject: Subject, filters: number) {
  const algorithm = await subject.build(subject.settings.plain, conv(subject, filters));
  try {
    const { tensors: before } = await algorithm.getState();
    for (let k = 0; k < 2; k++) await algorithm.train();
    const { tensors: after } = await algorithm.getState();
    const file = 'policies/default/weights.safetensors';
    return { before: before[file], after: after[file] };
  } finally {
    await algorithm.stop();
  }
}

describe.each(names)('%s', async (name) => {
  const subject = await subjectOf(name);

  const { pictures } = subject.settings;
  if (pictures !== undefined) {
    test('says that it does not', async () => {
      await expect(learn(subject, 3)).rejects.toThrow(pictures);
    });
    return;
  }

  test('steps every layer of a convolutional network', async () => {
    const { before, after } = await learn(subject, 3);
    const shapes = Object.values(after).map(({ shape }) => shape.join());
    expect(shapes).toContain('3,3,1,3'); // the kernels of the first layer
    for (const [tensor, { data }] of Object.entries(after)) {
      if (tensor.startsWith('observation/')) continue;
      expect([...data].every(Number.isFinite), tensor).toBe(true);
      expect(data, tensor).not.toEqual(before[tensor].data);
    }
  });

  test('has the layers that it was given', async () => {
    const { after } = await learn(subject, 2);
    expect(Object.values(after).map(({ shape }) => shape.join())).toContain('3,3,1,2');
  });
});
