/** A learner's part of a checkpoint: parameters and Adam's moments, as the default policy. */
import type { CheckpointContent } from '../checkpoint/content.ts';
import { atField, countSchema, hasField, readField } from '../checkpoint/field-state.ts';
import type { StatePart } from '../checkpoint/state-part.ts';
import type { WarmStart, WarmStartSelection } from '../checkpoint/warm-start.ts';
import type { Learner } from '../learner/learner.ts';
import { parametersToTensors, tensorsToParameters } from './parameter-content.ts';
import { readWarmOptimizer } from './warm-optimizer.ts';
import { readWarmParameters, type WarmSlot } from './warm-parameters.ts';
import { inPolicy, NOTHING_WARM } from './warm-policies.ts';

/** Where a policy's numbers stand in `state.json`: the only one's at the top. */
export function policyField(policy: string, name: string): readonly string[] {
  return policy === 'default' ? [name] : ['policies', policy, name];
}

/** A policy's learner, or that of its central critic. */
export interface LearnerRole {
  readonly policy: string;
  /** Beside an actor alone there is a central critic, whose files are `policies/<policy>/critic/`. @defaultValue 'whole' */
  readonly part?: 'whole' | 'actor' | 'critic';
}

/** One tensor for each entry of the parameter layout; of the optimizer's two, `m/` and `v/` before its name. */
export function learnerState(learner: Learner, role: LearnerRole = { policy: 'default' }): StatePart {
  const policy = folderOf(role, role.policy);
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
    readWarmStart: (content, selection) => readWarmLearner(learner, role, content, selection),
  };
}

/** Where its files lie below `policies/`, in a checkpoint in which the policy is called `policy`. */
export function folderOf({ part = 'whole' }: LearnerRole, policy: string): string {
  return part === 'critic' ? `${policy}/critic` : policy;
}

/** Networks of the policy that another learner has. */
const ELSEWHERE = { whole: [], actor: ['critic'], critic: ['actor'] };

function readWarmLearner(
  learner: Learner,
  role: LearnerRole,
  content: CheckpointContent,
  { networks, optimizer: isWanted, sources }: WarmStartSelection,
): WarmStart {
  const { policy, part = 'whole' } = role;
  if (!Object.hasOwn(sources, policy)) return NOTHING_WARM;
  const source = folderOf(role, sources[policy]);
  const slots = learner.layout.entries.map(
    ({ name, shape, offset }): WarmSlot => ({
      ...{ name, shape, offset },
      momentName: name,
      networks: [name.split('/')[0]],
    }),
  );
  const parameters = readWarmParameters(content, slots, { source, networks, elsewhere: ELSEWHERE[part] });
  const groups = isWanted ? [{ name: GROUPS[part], slots, step: readStep(content, source) }] : [];
  const moments = content.tensors[`policies/${source}/optimizer.safetensors`];
  const optimizer = readWarmOptimizer(moments, groups, parameters.slots);
  const own = (name: string) => inPolicy(policy, name);
  const taken = [...parameters.taken, ...optimizer.groups.map(({ name }) => `optimizer of ${name}`)];
  const left = [...parameters.left, ...optimizer.left];
  return {
    taken: taken.map(own),
    left: left.map(({ name, why }) => ({ name: own(name), why })),
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

const GROUPS = { whole: 'all networks', actor: 'the actor', critic: 'the central critic' };

/** Adam's step counter; null in a checkpoint of another kind of learner. */
function readStep(content: CheckpointContent, policy: string): number | null {
  const field = policyField(policy, 'optimizerStep');
  return hasField(content, field) ? readField(content, field, countSchema) : null;
}
