/** A learner's part of a checkpoint: parameters and Adam's moments, as the default policy. */
import type { CheckpointContent } from '../checkpoint/content.ts';
import { atField, countSchema, readField } from '../checkpoint/field-state.ts';
import type { StatePart } from '../checkpoint/state-part.ts';
import type { WarmStart, WarmStartChoice } from '../checkpoint/warm-start.ts';
import type { Learner } from '../learner/learner.ts';
import { parametersToTensors, tensorsToParameters } from './parameter-content.ts';
import { readWarmOptimizer } from './warm-optimizer.ts';
import { readWarmParameters, type WarmSlot } from './warm-parameters.ts';

/** Where a policy's numbers stand in `state.json`: the only one's at the top. */
export function policyField(policy: string, name: string): readonly string[] {
  return policy === 'default' ? [name] : ['policies', policy, name];
}

/** One tensor for each entry of the parameter layout; of the optimizer's two, `m/` and `v/` before its name. */
export function learnerState(learner: Learner, policy = 'default'): StatePart {
  const { layout } = learner;
  const WEIGHTS = `policies/${policy}/weights.safetensors`;
  const OPTIMIZER = `policies/${policy}/optimizer.safetensors`;
  const field = policyField(policy, 'optimizerStep');
  return {
    name: policy === 'default' ? 'learner' : `learner ${policy}`,
    files: [WEIGHTS, OPTIMIZER, 'state.json'],
    getState() {
      const { step, m, v } = learner.readOptimizerState();
      return {
        ...(policy === 'default'
          ? { description: { engine: learner.engine, backend: learner.backend } }
          : {}),
        tensors: {
          [WEIGHTS]: parametersToTensors(learner.readParameters(), layout),
          [OPTIMIZER]: { ...parametersToTensors(m, layout, 'm/'), ...parametersToTensors(v, layout, 'v/') },
        },
        json: { 'state.json': atField(field, step) },
      };
    },
    readState(content) {
      const { tensors } = content;
      const parameters = tensorsToParameters(tensors[WEIGHTS], layout);
      const m = tensorsToParameters(tensors[OPTIMIZER], layout, 'm/');
      const v = tensorsToParameters(tensors[OPTIMIZER], layout, 'v/', 'nonNegative');
      const step = readField(content, field, countSchema);
      return () => {
        learner.writeParameters(parameters);
        learner.writeOptimizerState({ step, m, v });
      };
    },
    // Of several policies, which one would be warmed is not said.
    ...(policy === 'default' && {
      readWarmStart: (content, choice) => readWarmLearner(learner, content, choice),
    }),
  };
}

function readWarmLearner(
  learner: Learner,
  content: CheckpointContent,
  { networks, optimizer: isWanted }: WarmStartChoice,
): WarmStart {
  const slots = learner.layout.entries.map(
    ({ name, shape, offset }): WarmSlot => ({
      ...{ name, shape, offset },
      momentName: name,
      networks: [name.split('/')[0]],
    }),
  );
  const parameters = readWarmParameters(content, slots, networks);
  const step =
    content.json['state.json']?.optimizerStep === undefined
      ? null
      : readField(content, ['optimizerStep'], countSchema);
  const groups = isWanted ? [{ name: 'all networks', slots, step }] : [];
  const optimizer = readWarmOptimizer(
    content.tensors['policies/default/optimizer.safetensors'],
    groups,
    parameters.slots,
  );
  return {
    taken: [...parameters.taken, ...optimizer.groups.map(({ name }) => `optimizer of ${name}`)],
    left: [...parameters.left, ...optimizer.left],
    apply() {
      const all = learner.readParameters();
      parameters.write(all);
      learner.writeParameters(all);
      const [group] = optimizer.groups;
      if (group === undefined) return;
      const { m, v } = learner.readOptimizerState();
      optimizer.write(m, v);
      learner.writeOptimizerState({ step: group.step, m, v });
    },
  };
}
