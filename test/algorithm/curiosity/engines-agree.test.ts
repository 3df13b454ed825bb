import { it } from 'vitest';
import { createCuriosityGradient } from '../../../src/algorithm/curiosity/gradient.ts';
import { createCuriosityLoss } from '../../../src/algorithm/curiosity/loss.ts';
import { curiosityModel, curiosityObjective } from '../../../src/algorithm/curiosity/model.ts';
import { expectAgreement } from '../../algorithms/engines-agree.ts';
import { ACTIONS, batchOf, optionsOf, shapeOf } from './curiosity-shapes.ts';

const NUM_ROWS = 37;

it.each(['rnd', 'icm', 'count'] as const)('both engines score and learn the same: %s', (bonus) => {
  const model = curiosityModel(shapeOf(bonus));
  const objective = curiosityObjective(shapeOf(bonus));
  return expectAgreement(
    {
      model,
      objective,
      open: createCuriosityGradient(model, optionsOf(bonus)),
      losses: createCuriosityLoss(bonus, ACTIONS),
      scalars: Object.fromEntries(objective.scalars.map((name) => [name, 1e-3])),
      numRows: NUM_ROWS,
      batch: (k) => batchOf(bonus, k, NUM_ROWS),
    },
    20,
    1e-4,
  );
});
