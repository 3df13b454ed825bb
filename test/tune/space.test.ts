/** What a search space may be. */
import { describe, expect, it } from 'vitest';
import { dqnOptions } from '../../algorithms/dqn/config.ts';
import { ppoOptions } from '../../algorithms/ppo/config.ts';
import { choice, conditional, int, logUniform, type Space, uniform } from '../../src/config/search-space.ts';
import { checkSpace, readSpace, valuesBySection } from '../../src/tune/read-space.ts';

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

  const kinds = choice(['a', 'b']);
  it.each<[Space, RegExp]>([
    [{ x: conditional(int(1, 2), { y: ['a'] }) }, /`y` is not in the search space/],
    [{ x: conditional(int(1, 2), { kin: ['a'] }), kind: kinds }, /Did you mean `kind`/],
    [{ x: conditional(int(1, 2), { x: [1] }) }, /cannot depend on itself/],
    [{ x: conditional(int(1, 2), { kind: ['c'] }), kind: kinds }, /never has the value "c"/],
    [{ x: conditional(int(1, 2), { y: [3] }), y: int(1, 2) }, /never has the value 3/],
    [{ x: conditional(int(1, 2), { y: [1] }), y: uniform(1, 2) }, /a continuous option/],
    [{ x: conditional(int(1, 2), { y: [1] }), y: conditional(int(1, 2), { x: [1] }) }, /in a ring.*x, y/],
  ])('the conditions of %j are refused', (space, message) => {
    expect(() => readSpace(space)).toThrow(expect.objectContaining({ code: 'CONFIG_CONFLICT' }));
    expect(() => readSpace(space)).toThrow(message);
  });

  it.each([[{}], [{ kind: 'a' }], [{ kind: [] }], [3]])('"when": %j is refused', (when) => {
    const space = { x: { int: [1, 2], when }, kind: { choice: ['a', 'b'] } };
    expect(() => readSpace(space)).toThrow(/`x`: expected "when" to list values/);
  });

  it('with an option that means something beside some values of another only is asked for the condition', () => {
    const atoms = { numAtoms: int(11, 51), distribution: choice(['none', 'c51', 'quantiles']) };
    expect(() => checkSpace(atoms, dqnOptions)).toThrow(
      /`numAtoms` says nothing where `distribution` is "none": give its domain "when": {"distribution":\["c51","quantiles"\]}/,
    );
    const when = { distribution: ['c51', 'quantiles'] };
    checkSpace({ ...atoms, numAtoms: conditional(atoms.numAtoms, when) }, dqnOptions);
  });

  it('of values that change while a trial runs holds no option of its beginning', () => {
    const space = { learningRate: uniform(0, 1), hiddenSizes: choice([[8], [16]]) };
    checkSpace(space, ppoOptions);
    expect(() => checkSpace(space, ppoOptions, { isChangedLater: true })).toThrow(
      /`hiddenSizes` belongs to the beginning of a run/,
    );
    const clip = { clipObservation: uniform(1, 10) };
    expect(() => checkSpace(clip, ppoOptions, { isChangedLater: true })).toThrow(
      /`clipObservation` belongs to the beginning of a run/,
    );
  });
});
