/** A policy's description is data of unknown origin: what does not hold together is refused before anything is allocated for it. */
import { describe, expect, test } from 'vitest';
import { readPolicyFiles } from '../../src/algorithm/read-policy.ts';
import type { CheckpointContent, NamedTensor } from '../../src/checkpoint/content.ts';
import type { JsonObject } from '../../src/json.ts';

const tensor = (...values: number[]): NamedTensor => ({
  dtype: 'float32',
  shape: [values.length],
  data: Float32Array.from(values),
});

const SPEC = {
  observationSize: 2,
  observationDtype: 'float32',
  observationShape: [2],
  actionMaskSize: 0,
  network: { kind: 'mlp', hiddenSizes: [4], activation: 'tanh', shared: false },
  distribution: { kind: 'gaussian', size: 1, squash: false, low: [-1], high: [1] },
  normalizeObservations: true,
  clipObservation: 10,
  initialization: { orthogonal: true, hiddenGain: 1, policyGain: 1, valueGain: 1, logStd: 0 },
};
const BOX = { kind: 'box', dtype: 'float32', shape: [2], low: '-inf', high: 'inf' };
const ACTION = { kind: 'box', dtype: 'float32', shape: [1], low: -1, high: 1 };

function content(changes: {
  readonly spec?: object;
  readonly observationSpace?: object;
  readonly actionSpace?: object;
  readonly statistics?: Record<string, NamedTensor>;
}): CheckpointContent {
  const { spec = {}, observationSpace = BOX, actionSpace = ACTION } = changes;
  const statistics = changes.statistics ?? {
    'observation/mean': tensor(0, 0),
    'observation/inverseStd': tensor(1, 1),
  };
  return {
    description: {},
    tensors: { 'policies/default/weights.safetensors': statistics },
    json: {
      'policies/default/policy.json': {
        spec: { ...SPEC, ...spec },
        observationSpace,
        actionSpace,
      } as unknown as JsonObject,
    },
  };
}

const ATTENTION = { kind: 'attention', size: 4, numHeads: 2, window: 3, numBlocks: 1 };

test('reads what was saved', () => {
  const { spec, observationSpace, statistics } = readPolicyFiles(content({}), 'here');
  expect(spec).toEqual(SPEC);
  expect(observationSpace).toMatchObject({ kind: 'box', shape: [2] });
  expect(statistics?.inverseStd).toEqual(Float32Array.of(1, 1));
  const network = { ...SPEC.network, ...ATTENTION };
  expect(readPolicyFiles(content({ spec: { network } }), 'here').spec.network).toEqual(network);
});

describe('refuses', () => {
  const network = (changes: object) => ({ spec: { network: { ...SPEC.network, ...changes } } });
  const distribution = (changes: object) => ({
    spec: { distribution: { ...SPEC.distribution, ...changes } },
  });

  test.each<[string, Parameters<typeof content>[0], string]>([
    ['a size below 1', { spec: { observationSize: -2 } }, 'CHECKPOINT_POLICY'],
    ['a size that is no whole number', { spec: { observationSize: 2.5 } }, 'CHECKPOINT_POLICY'],
    ['a shape of another size', { spec: { observationShape: [3] } }, 'CHECKPOINT_POLICY'],
    ['an unknown dtype', { spec: { observationDtype: 'float16' } }, 'CHECKPOINT_POLICY'],
    ['an unknown network', network({ kind: 'transformer' }), 'CHECKPOINT_POLICY'],
    ['an unknown activation', network({ activation: 'toString' }), 'CHECKPOINT_POLICY'],
    ['a window that is none', network({ ...ATTENTION, window: 0 }), 'CHECKPOINT_POLICY'],
    ['heads that do not share the width', network({ ...ATTENTION, numHeads: 3 }), 'CHECKPOINT_POLICY'],
    ['hidden sizes that are text', network({ hiddenSizes: '4' }), 'CHECKPOINT_POLICY'],
    ['an unknown distribution', distribution({ kind: 'cauchy' }), 'CHECKPOINT_POLICY'],
    ['bounds of another size', distribution({ low: [-1, -1] }), 'CHECKPOINT_POLICY'],
    ['another action space', distribution({ size: 2, low: [-1, -1], high: [1, 1] }), 'CHECKPOINT_POLICY'],
    ['a space that is none', { observationSpace: { kind: 'sphere' } }, 'CHECKPOINT_POLICY'],
    ['a space without its parts', { observationSpace: { kind: 'dict' } }, 'CHECKPOINT_POLICY'],
    ['a box of a terabyte', { observationSpace: { ...BOX, shape: [2 ** 38] } }, 'CHECKPOINT_POLICY'],
    [
      'the same in a dict',
      { observationSpace: { kind: 'dict', spaces: { a: { ...BOX, shape: [2 ** 38] } } } },
      'CHECKPOINT_POLICY',
    ],
    ['a space of another size', { observationSpace: { ...BOX, shape: [1] } }, 'CHECKPOINT_POLICY'],
    ['missing statistics', { statistics: {} }, 'CHECKPOINT_POLICY'],
    [
      'statistics of another size',
      { statistics: { 'observation/mean': tensor(0), 'observation/inverseStd': tensor(1) } },
      'CHECKPOINT_STATE',
    ],
    [
      'statistics that are not finite',
      { statistics: { 'observation/mean': tensor(0, Number.NaN), 'observation/inverseStd': tensor(1, 1) } },
      'CHECKPOINT_STATE',
    ],
  ])('%s', (_, changes, code) => {
    expect(() => readPolicyFiles(content(changes), 'here')).toThrow(expect.objectContaining({ code }));
  });

  test('a checkpoint without a policy', () => {
    const empty = { description: {}, tensors: {}, json: {} };
    expect(() => readPolicyFiles(empty, 'here')).toThrow(
      expect.objectContaining({ code: 'CHECKPOINT_POLICY' }),
    );
  });
});
