import { describe, expect, it } from 'vitest';
import { sacModel, sacObjective } from '../../../../algorithms/sac/objective.ts';
import type { OpenObjective } from '../../../../src/learner/objective.ts';
import { SHAPE } from '../../../algorithms/sac/sac-reference.ts';
import { openFixture } from '../../../reference/objective-fixture.ts';

describe('the quantile loss of a row space', () => {
  it('refuses more targets than a row has', async () => {
    const open: OpenObjective = (rows) => {
      const [predicted, gradient, targets] = [rows.buffer(4), rows.buffer(4), rows.buffer(7)];
      rows.quantileLoss({ predicted, gradient, targets, numTargets: 8 });
      return [];
    };
    await expect(openFixture(sacModel(SHAPE), sacObjective(SHAPE), open, 8)).rejects.toThrow(
      /at most 7 targets, got 4 and 8/,
    );
  });
});

describe('the softmax of a row space', () => {
  it('refuses values that are no whole groups', async () => {
    const open: OpenObjective = (rows) => {
      const values = rows.buffer(10);
      rows.softmax({ values, probabilities: values, size: 4 });
      return [];
    };
    await expect(openFixture(sacModel(SHAPE), sacObjective(SHAPE), open, 8)).rejects.toThrow(
      /in groups of 4, got 10 and 10 a row/,
    );
  });
});

describe('the squashed Gaussian of a row space', () => {
  it('refuses noise that is not half as wide as the outputs', async () => {
    const open: OpenObjective = (rows) => {
      rows.squashedGaussian(
        rows.pass({ network: 'actor', inputs: ['observations'] }),
        rows.column('observations'),
      );
      return [];
    };
    await expect(openFixture(sacModel(SHAPE), sacObjective(SHAPE), open, 8)).rejects.toThrow(
      /got 4 outputs a row for 3 elements/,
    );
  });
});
