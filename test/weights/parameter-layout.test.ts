import { describe, expect, it } from 'vitest';
import { mlpParameterLayout } from '../../src/policy/networks/mlp-parameters.ts';
import { createParameterLayout } from '../../src/weights/parameter-layout.ts';
import { categorical, gaussian, gsde, makeSpec } from '../reference/policy-specs.ts';

const shapesOf = (...args: Parameters<typeof makeSpec>) =>
  mlpParameterLayout(makeSpec(...args)).entries.map(({ name, shape }) => [name, ...shape].join(' '));

describe('createParameterLayout', () => {
  it('starts tensors at multiples of 16 elements and keeps their order', () => {
    const layout = createParameterLayout([
      { name: 'a', shape: [3, 5] },
      { name: 'b', shape: [16] },
      { name: 'c', shape: [17] },
      { name: 'd', shape: [] },
    ]);
    expect(layout.entries.map(({ offset, size }) => [offset, size])).toEqual([
      [0, 15],
      [16, 16],
      [32, 17],
      [64, 1],
    ]);
    expect(layout.size).toBe(80);
  });
});

describe('mlpParameterLayout', () => {
  it('has two towers', () => {
    expect(shapesOf(categorical(2, 3), { observationSize: 4, hiddenSizes: [8, 6] })).toEqual([
      ...['actor/0/kernel 4 8', 'actor/0/bias 8', 'actor/1/kernel 8 6', 'actor/1/bias 6'],
      ...['actor/head/kernel 6 5', 'actor/head/bias 5'],
      ...['critic/0/kernel 4 8', 'critic/0/bias 8', 'critic/1/kernel 8 6', 'critic/1/bias 6'],
      ...['critic/head/kernel 6 1', 'critic/head/bias 1'],
    ]);
  });

  it('has one trunk and two heads when shared', () => {
    expect(shapesOf(gaussian(3), { observationSize: 4, hiddenSizes: [8], shared: true })).toEqual([
      ...['trunk/0/kernel 4 8', 'trunk/0/bias 8'],
      ...[
        'actor/head/kernel 8 3',
        'actor/head/bias 3',
        'critic/head/kernel 8 1',
        'critic/head/bias 1',
        'logStd 3',
      ],
    ]);
  });

  it('has a deviation per action, or with gSDE per latent unit and action', () => {
    expect(shapesOf(gaussian(3), { hiddenSizes: [8] }).at(-1)).toBe('logStd 3');
    expect(shapesOf(gsde(3), { hiddenSizes: [8] }).at(-1)).toBe('logStd 8 3');
    expect(shapesOf(gsde(3), { hiddenSizes: [], observationSize: 5 })).toEqual([
      ...[
        'actor/head/kernel 5 3',
        'actor/head/bias 3',
        'critic/head/kernel 5 1',
        'critic/head/bias 1',
        'logStd 5 3',
      ],
    ]);
  });
});
