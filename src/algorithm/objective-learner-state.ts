/** An objective learner's part of a checkpoint: what acts as the default policy, the rest of the model beside it, Adam's state. */
import * as z from 'zod/mini';
import { atField, countSchema, readField } from '../checkpoint/field-state.ts';
import type { StatePart } from '../checkpoint/state-part.ts';
import type { ObjectiveLearner } from '../learner/objective-learner.ts';
import { type ActingNetwork, actingLayout, actingRanges } from '../policy/networks/acting-network.ts';
import type { ActingSpec } from '../policy/policy-spec.ts';
import type { ParameterEntry, ParameterLayout } from '../weights/parameter-layout.ts';
import { policyField } from './learner-state.ts';
import { parametersToTensors, tensorsToParameters } from './parameter-content.ts';
import { readWarmObjective } from './warm-objective.ts';
import { learnerFolder } from './warm-parameters.ts';

/**
 * `policies/default/` has the acting network alone, under a policy's names, so that `loadPolicy` can act with it. `learner/` has the other
 * networks, free parameters and targets under the model's names, and Adam's moments of all that is trained, `m/` and `v/` before them. Of another
 * policy than the only one, `policies/<policy>/` and `policies/<policy>/learner/`.
 */
export function objectiveLearnerState(
  learner: ObjectiveLearner,
  spec: ActingSpec,
  acting: ActingNetwork,
  policy = 'default',
): StatePart {
  const folder = learnerFolder(policy);
  const WEIGHTS = `policies/${policy}/weights.safetensors`;
  const MODEL = `${folder}/model.safetensors`;
  const OPTIMIZER = `${folder}/optimizer.safetensors`;
  const field = policyField(policy, 'optimizer');
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
    name: policy === 'default' ? 'learner' : `learner ${policy}`,
    files: [WEIGHTS, MODEL, OPTIMIZER, 'state.json'],
    getState() {
      const parameters = learner.readParameters();
      const actor = new Float32Array(policyLayout.size);
      copyActing((from, to, size) => actor.set(parameters.subarray(from, from + size), to));
      const { numUpdates, steps, m, v } = learner.readOptimizerState();
      return {
        ...(policy === 'default' && {
          description: { engine: learner.engine, backend: learner.backend },
        }),
        tensors: {
          [WEIGHTS]: parametersToTensors(actor, policyLayout),
          [MODEL]: parametersToTensors(parameters, others),
          [OPTIMIZER]: { ...parametersToTensors(m, trained, 'm/'), ...parametersToTensors(v, trained, 'v/') },
        },
        json: { 'state.json': atField(field, { numUpdates, steps }) },
      };
    },
    readState(content) {
      const { tensors } = content;
      const parameters = tensorsToParameters(tensors[MODEL], others);
      const actor = tensorsToParameters(tensors[WEIGHTS], policyLayout);
      copyActing((to, from, size) => parameters.set(actor.subarray(from, from + size), to));
      const m = tensorsToParameters(tensors[OPTIMIZER], trained, 'm/');
      const v = tensorsToParameters(tensors[OPTIMIZER], trained, 'v/', 'nonNegative');
      const { numUpdates, steps } = readField(content, field, schema);
      return () => {
        learner.writeParameters(parameters);
        learner.writeOptimizerState({ numUpdates, steps, m, v });
      };
    },
    readWarmStart: (content, selection) =>
      readWarmObjective({ learner, spec, acting, policy }, content, selection),
  };
}
