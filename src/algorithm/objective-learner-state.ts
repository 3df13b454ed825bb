/** An objective learner's part of a checkpoint: what acts as the default policy, the rest of the model beside it, Adam's state. */
import * as z from 'zod/mini';
import { countSchema, readField } from '../checkpoint/field-state.ts';
import type { StatePart } from '../checkpoint/state-part.ts';
import type { ObjectiveLearner } from '../learner/objective-learner.ts';
import { type ActingNetwork, actingLayout, actingRanges } from '../policy/networks/acting-network.ts';
import type { ActingSpec } from '../policy/policy-spec.ts';
import type { ParameterEntry, ParameterLayout } from '../weights/parameter-layout.ts';
import { parametersToTensors, tensorsToParameters } from './parameter-content.ts';
import { readWarmObjective } from './warm-objective.ts';

const WEIGHTS = 'policies/default/weights.safetensors';
const MODEL = 'learner/model.safetensors';
const OPTIMIZER = 'learner/optimizer.safetensors';

/**
 * `policies/default/` has the acting network alone, under a policy's names, so that `loadPolicy` can act with it. `learner/` has the other
 * networks, free parameters and targets under the model's names, and Adam's moments of all that is trained, `m/` and `v/` before them.
 */
export function objectiveLearnerState(
  learner: ObjectiveLearner,
  spec: ActingSpec,
  acting: ActingNetwork,
): StatePart {
  const { layout } = learner;
  const policyLayout = actingLayout(spec);
  const ranges = actingRanges(learner.model, acting);
  const isActing = ({ offset }: ParameterEntry) =>
    ranges.some((range) => offset >= range.offset && offset < range.offset + range.size);
  const others: ParameterLayout = {
    entries: layout.entries.filter((entry) => !isActing(entry)),
    size: layout.size,
  };
  const trained: ParameterLayout = {
    entries: layout.entries.filter(({ offset }) => offset < layout.trainedSize),
    size: layout.trainedSize,
  };
  const schema = z.object({
    numUpdates: countSchema,
    steps: z.object(Object.fromEntries(learner.objective.groups.map(({ name }) => [name, countSchema]))),
  });
  /** Copies between the model's vector and the acting parameters. */
  const copyActing = (copy: (modelAt: number, policyAt: number, size: number) => void) => {
    let at = 0;
    for (const { offset, size } of ranges) {
      copy(offset, at, size);
      at += size;
    }
  };
  return {
    name: 'learner',
    files: [WEIGHTS, MODEL, OPTIMIZER, 'state.json'],
    getState() {
      const parameters = learner.readParameters();
      const policy = new Float32Array(policyLayout.size);
      copyActing((from, to, size) => policy.set(parameters.subarray(from, from + size), to));
      const { numUpdates, steps, m, v } = learner.readOptimizerState();
      return {
        description: { engine: learner.engine, backend: learner.backend },
        tensors: {
          [WEIGHTS]: parametersToTensors(policy, policyLayout),
          [MODEL]: parametersToTensors(parameters, others),
          [OPTIMIZER]: { ...parametersToTensors(m, trained, 'm/'), ...parametersToTensors(v, trained, 'v/') },
        },
        json: { 'state.json': { optimizer: { numUpdates, steps } } },
      };
    },
    readState(content) {
      const { tensors } = content;
      const parameters = tensorsToParameters(tensors[MODEL], others);
      const policy = tensorsToParameters(tensors[WEIGHTS], policyLayout);
      copyActing((to, from, size) => parameters.set(policy.subarray(from, from + size), to));
      const m = tensorsToParameters(tensors[OPTIMIZER], trained, 'm/');
      const v = tensorsToParameters(tensors[OPTIMIZER], trained, 'v/', 'nonNegative');
      const { numUpdates, steps } = readField(content, ['optimizer'], schema);
      return () => {
        learner.writeParameters(parameters);
        learner.writeOptimizerState({ numUpdates, steps, m, v });
      };
    },
    readWarmStart: (content, selection) => readWarmObjective(learner, spec, acting, content, selection),
  };
}
