/** What a search space may be. */
import { describe, expect, it } from 'vitest';
import { ppoOptions } from '../../algorithms/ppo/config.ts';
import {
  checkSpace,
  choice,
  int,
  logUniform,
  readSpace,
  uniform,
  valuesBySection,
} from '../../src/tune/space.ts';

describe('a search space', () => {
  it('is read from JSON, and from what the functions return', () => {
    const written = {
      learningRate: { logUniform: [1e-5, 1e-2] },
      numEpochs: { int: [1, 9] },
      gamma: { uniform: [0.9, 1] },
      minibatchSize: { choice: [32, 64] },
    };
    const made = {
      learningRate: logUniform(1e-5, 1e-2),
      numEpochs: int(1, 9),
      gamma: uniform(0.9, 1),
      minibatchSize: choice([32, 64]),
    };
    expect(readSpace(written)).toEqual(made);
    expect(readSpace(made)).toEqual(made);
    expect(readSpace(JSON.parse(JSON.stringify(made)))).toEqual(made);
    checkSpace(readSpace(written), ppoOptions);
  });

  it.each([
    [{}, 'CONFIG_SPACE'],
    ['learningRate', 'CONFIG_SPACE'],
    [{ learningRate: 3 }, 'CONFIG_RANGE'],
    [{ learningRate: { uniform: [2, 1] } }, 'CONFIG_RANGE'],
    [{ learningRate: { logUniform: [0, 1] } }, 'CONFIG_RANGE'],
    [{ learningRate: { normal: [0, 1] } }, 'CONFIG_RANGE'],
    [{ numEpochs: { int: [1, 2.5] } }, 'CONFIG_RANGE'],
    [{ numEpochs: { choice: [] } }, 'CONFIG_RANGE'],
    [{ numEpochs: { choice: [4, 4] } }, 'CONFIG_RANGE'],
  ])('%j is refused', (written, code) => {
    expect(() => readSpace(written)).toThrow(expect.objectContaining({ code }));
  });

  it.each([
    [{ learningRte: uniform(0, 1) }, /Did you mean `learningRate`/],
    [{ gamma: uniform(0.9, 1.5) }, /`gamma`.*1\.5/],
    [{ numEpochs: choice([4, 'many']) }, /`numEpochs`.*"many"/],
    [{ seed: int(0, 9) }, /itself decides about `seed`/],
  ])('%j does not fit PPO', (space, message) => {
    expect(() => checkSpace(space, ppoOptions)).toThrow(message);
  });

  it('becomes a config by section', () => {
    expect(valuesBySection({ gamma: 0.9, numEnvs: 4 }, ppoOptions)).toEqual({
      envRunners: { numEnvs: 4 },
      training: { gamma: 0.9 },
    });
  });
});
