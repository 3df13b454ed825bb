import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { locateNetwork } from '../../src/algorithm/locate-network.ts';
import { createPolicySpec, type PolicyOptions } from '../../src/algorithm/policy-setup.ts';
import { Box, Dict, Discrete, MultiBinary, MultiDiscrete, type Space } from '../../src/env/spaces.ts';
import { vectorizeEnv } from '../../src/env/vectorize.ts';
import { ConfigError } from '../../src/errors.ts';
import { POLICY_OPTIONS } from '../rollout/open-group.ts';
import { temporaryFolder } from '../temporary-folder.ts';

function specFor(
  observationSpace: Space,
  actionSpace: Space,
  options: Partial<PolicyOptions> = {},
  masksActions = false,
  cwd?: string,
) {
  const env = () => ({
    observationSpace,
    actionSpace,
    masksActions,
    reset: () => ({ observation: 0 }),
    step: () => ({ observation: 0, reward: 0, terminated: false, truncated: false }),
  });
  return createPolicySpec(vectorizeEnv(env, 1), { ...POLICY_OPTIONS, ...options }, (network) =>
    locateNetwork(network, cwd),
  );
}

const LINE = new Box(-1, 1, [4]);
const PICTURE = new Box(0, 255, [84, 84, 4], 'uint8');

describe('createPolicySpec', () => {
  it.each<[string, Space, object]>([
    ['Discrete', new Discrete(5, 3), { kind: 'categorical', sizes: [5] }],
    ['MultiDiscrete', new MultiDiscrete([2, 3]), { kind: 'categorical', sizes: [2, 3] }],
    ['MultiBinary', new MultiBinary(4), { kind: 'bernoulli', size: 4 }],
    [
      'Box',
      new Box([-2, 0], [2, 1]),
      { kind: 'gaussian', size: 2, squash: false, low: [-2, 0], high: [2, 1] },
    ],
    [
      'Dict',
      new Dict({ a: new Discrete(2), b: new MultiDiscrete([3, 4]) }),
      { kind: 'categorical', sizes: [2, 3, 4] },
    ],
  ])('takes the distribution from the action space: %s', (_, space, distribution) => {
    expect(specFor(LINE, space).distribution).toEqual(distribution);
  });

  it('makes squashed and gSDE policies of a Box when asked', () => {
    expect(specFor(LINE, new Box(-2, 2, [1]), { squashActions: true }).distribution).toMatchObject({
      kind: 'gaussian',
      squash: true,
    });
    expect(
      specFor(LINE, new Box(-2, 2, [1]), { useGsde: true, gsdeSampleFrequency: 8 }).distribution,
    ).toEqual({
      kind: 'gsde',
      size: 1,
      squash: false,
      sampleFrequency: 8,
      low: [-2],
      high: [2],
    });
  });

  it('flattens observations for an MLP and scales bytes', () => {
    const spec = specFor(PICTURE, new Discrete(2));
    expect(spec).toMatchObject({
      observationSize: 84 * 84 * 4,
      observationDtype: 'uint8',
      observationShape: [84 * 84 * 4],
      normalizeObservations: true,
    });
    expect(specFor(new Dict({ a: LINE, b: new Discrete(3) }), new Discrete(2))).toMatchObject({
      observationSize: 7,
      observationDtype: 'float32',
      normalizeObservations: false,
    });
  });

  it('sizes masks by the logits', () => {
    expect(specFor(LINE, new MultiDiscrete([2, 3]), {}, true).actionMaskSize).toBe(5);
    expect(specFor(LINE, new MultiDiscrete([2, 3])).actionMaskSize).toBe(0);
  });

  it('picks convolutions by the size of the picture', () => {
    const layers = (shape: number[], convLayers: PolicyOptions['convLayers'] = null) =>
      specFor(new Box(0, 255, shape, 'uint8'), new Discrete(2), { network: 'conv', convLayers });
    expect(layers([84, 84, 4])).toMatchObject({
      observationShape: [84, 84, 4],
      network: {
        kind: 'conv',
        layers: [
          [32, 8, 4],
          [64, 4, 2],
          [64, 3, 1],
        ],
      },
    });
    expect(layers([10, 10, 6]).network).toMatchObject({ layers: [[16, 3, 1]] });
    expect(layers([10, 10, 6], [[8, 5, 2]]).network).toMatchObject({ layers: [[8, 5, 2]] });
  });

  it('names a network module by URL', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'net.ts'), '');
    const module = pathToFileURL(join(folder, 'net.ts')).href;
    const options = { network: './net.ts#wide', networkOptions: { width: 3 } };
    expect(specFor(LINE, new Discrete(2), options, false, folder).network).toEqual({
      kind: 'custom',
      module,
      export: 'wide',
      options: { width: 3 },
    });
    expect(specFor(LINE, new Discrete(2), { network: module }).network).toMatchObject({
      module,
      export: 'default',
    });
    expect(() => specFor(LINE, new Discrete(2), { network: './absent.ts' })).toThrowError(
      expect.objectContaining({ code: 'CONFIG_NETWORK' }),
    );
  });

  it.each<[string, Space, Space, Partial<PolicyOptions>, string, RegExp]>([
    [
      'gSDE without continuous actions',
      LINE,
      new Discrete(2),
      { useGsde: true },
      'CONFIG_ACTION_SPACE',
      /useGsde is for continuous actions \(Box\), got Discrete\(2\)/,
    ],
    [
      'squashing without continuous actions',
      LINE,
      new MultiBinary(2),
      { squashActions: true },
      'CONFIG_ACTION_SPACE',
      /squashActions is for continuous/,
    ],
    [
      'squashing without bounds',
      LINE,
      new Box(-Infinity, Infinity, [1]),
      { squashActions: true },
      'CONFIG_ACTION_SPACE',
      /squashActions needs finite action bounds/,
    ],
    [
      'a convolution over a line',
      LINE,
      new Discrete(2),
      { network: 'conv' },
      'CONFIG_NETWORK',
      /\[height, width, channels\], got \[4\]/,
    ],
    [
      'convolutions that leave nothing',
      new Box(0, 255, [10, 10, 3], 'uint8'),
      new Discrete(2),
      {
        network: 'conv',
        convLayers: [
          [8, 5, 4],
          [8, 3, 1],
        ],
      },
      'CONFIG_NETWORK',
      /leave nothing of a 10 x 10 image/,
    ],
  ])('refuses %s', (_, observations, actions, options, code, message) => {
    const make = () => specFor(observations, actions, options);
    expect(make).toThrow(ConfigError);
    expect(make).toThrow(expect.objectContaining({ code }));
    expect(make).toThrow(message);
  });
});
