/** A small curiosity of each kind, and batches for it. */
import { type Bonus, type CuriosityShape, codeSize } from '../../../src/algorithm/curiosity/model.ts';
import { openStream } from '../../../src/random/streams.ts';
import { type Columns, normals } from '../../reference/objective-fixture.ts';

const OBSERVATION_SIZE = 4;
export const ACTIONS = { sizes: [3, 2], numNumbers: 2 };

export const shapeOf = (bonus: Bonus): CuriosityShape => ({
  bonus,
  observation: { size: OBSERVATION_SIZE, dtype: 'float32', shape: [OBSERVATION_SIZE], isNormalized: true },
  trunk: { kind: 'mlp', hiddenSizes: [7], activation: 'leaky-relu', layerNorm: false },
  numFeatures: 5,
  actions: ACTIONS,
  maxGradNorm: null,
  adam: { adamBeta1: 0.9, adamBeta2: 0.999, adamEpsilon: 1e-8 },
});

export const optionsOf = (bonus: Bonus) => ({ bonus, ...ACTIONS });

/** Actions one-hot and numbers, weights of which some are 0. */
export function batchOf(bonus: Bonus, k: number, numRows: number): Columns {
  const stream = openStream(k, 'actions');
  const actions = Array.from({ length: numRows }, () => {
    const code = new Array<number>(codeSize(ACTIONS)).fill(0);
    code[stream.integer(3)] = 1;
    code[3 + stream.integer(2)] = 1;
    code[5] = Math.fround(stream.normal());
    code[6] = Math.fround(stream.normal());
    return code;
  });
  return {
    observations: normals(`observations ${k}`, OBSERVATION_SIZE * numRows),
    ...(bonus === 'count'
      ? {}
      : {
          nextObservations: normals(`next ${k}`, OBSERVATION_SIZE * numRows),
          bonusWeights: Array.from({ length: numRows }, (_, r) => (r % 3 === 0 ? 0 : 1.5)),
        }),
    ...(bonus === 'icm' ? { actions: actions.flat() } : {}),
    returns: normals(`returns ${k}`, numRows),
    valueWeights: Array.from({ length: numRows }, (_, r) => (r % 4 === 0 ? 0 : 1.25)),
  };
}
