import { describe, expect, it } from 'vitest';
import { actingLayout, actingRanges, actingSpecOf } from '../../../src/policy/networks/acting-network.ts';
import { initializeModel } from '../../../src/policy/networks/initialize-model.ts';
import { type ModelSpec, modelLayout } from '../../../src/policy/networks/model.ts';
import { openStream } from '../../../src/random/streams.ts';

const image = { size: 32 * 32 * 3, dtype: 'uint8', shape: [32, 32, 3], isNormalized: true } as const;
const trunk = { kind: 'mlp', hiddenSizes: [9, 5], activation: 'relu', layerNorm: true } as const;
const MODEL: ModelSpec = {
  inputs: {
    observation: { size: 6, dtype: 'float32', shape: [6], isNormalized: true },
    action: { size: 2, dtype: 'float32', shape: [2], isNormalized: false },
    image,
  },
  networks: {
    q: { inputs: ['observation', 'action'], trunk, outputs: 1 },
    actor: { inputs: ['observation'], trunk, outputs: 2 },
    seeing: {
      inputs: ['image'],
      trunk: { kind: 'conv', layers: [[8, 4, 2]], hiddenSizes: [7], activation: 'relu' },
      outputs: 3,
    },
  },
  free: { logStd: { shape: [5, 2], initial: -3 }, logTemperature: { shape: [1], initial: 0.5 } },
  targets: { 'target/q': 'q' },
  clipObservation: 7,
};
const bounds = { low: [-1, -1], high: [1, 1] };
const gsde = { kind: 'squashed-gsde', size: 2, sampleFrequency: -1, ...bounds } as const;
const greedy = { kind: 'epsilon-greedy', sizes: [3], numAtoms: 1, support: null, dueling: false } as const;

describe('the acting network', () => {
  it('lies in the model as a policy without a value head has its parameters', () => {
    const acting = { network: 'actor', distribution: gsde, logStd: 'logStd', actionMaskSize: 0 };
    const spec = actingSpecOf(MODEL, acting);
    expect(spec).toMatchObject({
      observationSize: 6,
      normalizeObservations: true,
      clipObservation: 7,
      actorOnly: true,
    });
    const { entries } = modelLayout(MODEL);
    const pieces = actingRanges(MODEL, acting);
    const inModel = pieces.flatMap(({ name, offset }, k) =>
      entries
        .filter((entry) => entry.name === name || entry.name.startsWith(`${name}/`))
        .map((entry) => ({ shape: entry.shape, at: entry.offset - offset + (k === 0 ? 0 : pieces[0].size) })),
    );
    expect(actingLayout(spec).entries.map(({ shape, offset }) => ({ shape, at: offset }))).toEqual(inModel);
    expect(inModel).toHaveLength(11);
  });

  it('may be convolutional', () => {
    const spec = actingSpecOf(MODEL, { network: 'seeing', distribution: greedy, actionMaskSize: 3 });
    expect(spec).toMatchObject({
      observationDtype: 'uint8',
      observationShape: [32, 32, 3],
      actionMaskSize: 3,
    });
    expect(actingLayout(spec).entries.map(({ shape }) => shape)).toEqual(
      modelLayout(MODEL)
        .entries.filter(({ name }) => name.startsWith('seeing/'))
        .map(({ shape }) => shape),
    );
  });

  it('reads the observation alone, and gives what its distribution needs', () => {
    const spec = (network: string) => () =>
      actingSpecOf(MODEL, { network, distribution: greedy, actionMaskSize: 0 });
    expect(spec('q')).toThrow(/read the observation alone/);
    expect(spec('actor')).toThrow(/3 outputs of epsilon-greedy, got 2/);
  });
});

describe('initializeModel', () => {
  const parameters = initializeModel(MODEL, openStream(1, 'initialize'), { headBounds: { actor: 3e-3 } });
  const { entries, ranges, size } = modelLayout(MODEL);
  const tensor = (name: string) => {
    const { offset, size: length } = entries.find((entry) => entry.name === name)!;
    return [...parameters.subarray(offset, offset + length)];
  };
  const largest = (name: string) => Math.max(...tensor(name).map(Math.abs));

  it('draws kernels and biases within 1 / sqrt(fan-in), or the bound that is asked for', () => {
    expect(parameters).toHaveLength(size);
    for (const [name, bound] of [
      ['q/0/kernel', 1 / Math.sqrt(8)],
      ['q/0/bias', 1 / Math.sqrt(8)],
      ['q/1/kernel', 1 / 3],
      ['seeing/conv0/kernel', 1 / Math.sqrt(4 * 4 * 3)],
      ['actor/head/kernel', 3e-3],
    ] as const) {
      expect(largest(name)).toBeLessThanOrEqual(bound);
      expect(largest(name)).toBeGreaterThan(0.6 * bound);
    }
    expect(largest('actor/head/bias')).toBeLessThanOrEqual(3e-3);
    expect(largest('q/head/kernel')).toBeGreaterThan(3e-3);
  });

  it('begins layer normalisation with gain 1 and shift 0, free parameters as they say, targets as copies', () => {
    expect(new Set(tensor('actor/1/gain'))).toEqual(new Set([1]));
    expect(new Set(tensor('actor/1/shift'))).toEqual(new Set([0]));
    expect(new Set(tensor('logStd'))).toEqual(new Set([-3]));
    expect(tensor('logTemperature')).toEqual([0.5]);
    const part = (name: string) =>
      parameters.slice(ranges[name].offset, ranges[name].offset + ranges[name].size);
    expect(part('target/q')).toEqual(part('q'));
  });
});
