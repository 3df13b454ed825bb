/** A learner's part of a checkpoint: parameters and Adam's moments, as the default policy. */
import { countSchema, readField } from '../checkpoint/field-state.ts';
import type { StatePart } from '../checkpoint/state-part.ts';
import type { Learner } from '../learner/learner.ts';
import { parametersToTensors, tensorsToParameters } from './parameter-content.ts';

const WEIGHTS = 'policies/default/weights.safetensors';
const OPTIMIZER = 'policies/default/optimizer.safetensors';

/** One tensor for each entry of the parameter layout; of the optimizer's two, `m/` and `v/` before its name. */
export function learnerState(learner: Learner): StatePart {
  const { layout } = learner;
  return {
    name: 'learner',
    files: [WEIGHTS, OPTIMIZER, 'state.json'],
    getState() {
      const { step, m, v } = learner.readOptimizerState();
      return {
        description: { engine: learner.engine, backend: learner.backend },
        tensors: {
          [WEIGHTS]: parametersToTensors(learner.readParameters(), layout),
          [OPTIMIZER]: { ...parametersToTensors(m, layout, 'm/'), ...parametersToTensors(v, layout, 'v/') },
        },
        json: { 'state.json': { optimizerStep: step } },
      };
    },
    readState(content) {
      const { tensors } = content;
      const parameters = tensorsToParameters(tensors[WEIGHTS], layout);
      const m = tensorsToParameters(tensors[OPTIMIZER], layout, 'm/');
      const v = tensorsToParameters(tensors[OPTIMIZER], layout, 'v/', 'nonNegative');
      const step = readField(content, ['optimizerStep'], countSchema);
      return () => {
        learner.writeParameters(parameters);
        learner.writeOptimizerState({ step, m, v });
      };
    },
  };
}
