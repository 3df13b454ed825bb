/** What a learner of an objective takes of another run's checkpoint. */
import * as z from 'zod/mini';
import type { CheckpointContent } from '../checkpoint/content.ts';
import { countSchema, hasField, readField } from '../checkpoint/field-state.ts';
import type { WarmStart, WarmStartSelection } from '../checkpoint/warm-start.ts';
import type { ObjectiveLearner } from '../learner/objective-learner.ts';
import { type ActingNetwork, actingLayout, actingRanges } from '../policy/networks/acting-network.ts';
import type { ActingSpec } from '../policy/policy-spec.ts';
import { policyField } from './learner-state.ts';
import { readWarmOptimizer } from './warm-optimizer.ts';
import { learnerFolder, readWarmParameters, type WarmSlot } from './warm-parameters.ts';
import { inPolicy, NOTHING_WARM } from './warm-policies.ts';

/** Networks and free parameters by name and shape; targets begin as copies of what they follow. */
export function readWarmObjective(
  {
    learner,
    spec,
    acting,
    policy,
  }: {
    readonly learner: ObjectiveLearner;
    readonly spec: ActingSpec;
    readonly acting: ActingNetwork;
    /** Of this run. */
    readonly policy: string;
  },
  content: CheckpointContent,
  { networks, optimizer: isWanted, sources }: WarmStartSelection,
): WarmStart {
  if (!Object.hasOwn(sources, policy)) return NOTHING_WARM;
  const source = sources[policy];
  const slots = slotsOf(learner, spec, acting);
  const parameters = readWarmParameters(content, slots, { source, networks });
  const steps = readSteps(content, source);
  const groups = learner.objective.groups.map((group) => ({
    name: group.name,
    slots: slots.filter((slot) => group.networks.includes(slot.networks[0])),
    step: steps[group.name] ?? null,
  }));
  const optimizer = readWarmOptimizer(
    content.tensors[`${learnerFolder(source)}/optimizer.safetensors`],
    isWanted ? groups : [],
    parameters.slots,
  );
  return {
    taken: [...parameters.taken, ...optimizer.groups.map(({ name }) => `optimizer of ${name}`)].map((name) =>
      inPolicy(policy, name),
    ),
    left: [...parameters.left, ...optimizer.left].map(({ name, why }) => ({
      name: inPolicy(policy, name),
      why,
    })),
    apply() {
      const all = learner.readParameters();
      parameters.write(all);
      learner.writeParameters(all);
      if (Object.keys(learner.model.targets).length > 0) learner.blendTargets(1);
      if (optimizer.groups.length === 0) return;
      const { numUpdates, steps: fresh, m, v } = learner.readOptimizerState();
      optimizer.write(m, v);
      const warm = Object.fromEntries(optimizer.groups.map(({ name, step }) => [name, step]));
      learner.writeOptimizerState({ numUpdates, steps: { ...fresh, ...warm }, m, v });
    },
  };
}

/** Every trained tensor; those of the acting network under a policy's names, as checkpoints have them. */
function slotsOf(learner: ObjectiveLearner, spec: ActingSpec, acting: ActingNetwork): readonly WarmSlot[] {
  const { entries, trainedSize, ranges: owners } = learner.layout;
  const ownerOf = (offset: number) =>
    Object.keys(owners).find(
      (owner) => offset >= owners[owner].offset && offset < owners[owner].offset + owners[owner].size,
    ) ?? '';
  const ranges = actingRanges(learner.model, acting);
  const policy = actingLayout(spec).entries;
  const isActing = (owner: string) => [acting.network, `noise/${acting.network}`].includes(owner);
  return entries
    .filter(({ offset }) => offset < trainedSize)
    .map(({ name, shape, offset }): WarmSlot => {
      const owner = ownerOf(offset);
      // A network's deviations (noisy layers) go with it.
      const networks = [owner, owner.replace(/^noise\//, '')].concat(isActing(owner) ? ['actor'] : []);
      const slot = { name, momentName: name, networks: [...new Set(networks)], shape, offset };
      const acts = actingPlace(ranges, offset);
      const named = acts === null ? undefined : policy.find((entry) => entry.offset === acts);
      if (named === undefined) return slot;
      return { ...slot, name: named.name };
    });
}

/** Where an element of the model's vector lies in the acting parameters; null = it does not act. */
function actingPlace(
  ranges: readonly { readonly offset: number; readonly size: number }[],
  offset: number,
): number | null {
  let at = 0;
  for (const range of ranges) {
    if (offset >= range.offset && offset < range.offset + range.size) return at + offset - range.offset;
    at += range.size;
  }
  return null;
}

/** Adam's step counters by group; none in a checkpoint of another kind of learner. */
function readSteps(content: CheckpointContent, policy: string): Readonly<Record<string, number>> {
  const field = [...policyField(policy, 'optimizer'), 'steps'];
  return hasField(content, field) ? readField(content, field, z.record(z.string(), countSchema)) : {};
}
