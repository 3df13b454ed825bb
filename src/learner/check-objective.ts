/** Whether an objective is one that an engine can run: what would otherwise go wrong in silence. */
import { EngineError } from '../errors.ts';
import { deviationsOf, type ModelLayout, type ModelSpec, modelLayout } from '../policy/networks/model.ts';
import { type ObjectiveSpec, type OptimizerGroup, statNames } from './objective.ts';
import type { ObjectiveUpdate } from './objective-learner.ts';

/** What an engine has places for. */
export interface ObjectiveBounds {
  /** Of all steps together. */
  readonly maxStats: number;
  readonly maxScalars: number;
  readonly maxSteps: number;
}

/**
 * Checked when an engine opens an objective.
 *
 * @param bounds null = the engine has none.
 * @throws EngineError `ENGINE_OBJECTIVE` with every problem, one a line.
 */
export function checkObjective(
  model: ModelSpec,
  objective: ObjectiveSpec,
  bounds: ObjectiveBounds | null,
): void {
  const layout = modelLayout(model);
  const problems = [
    ...(bounds === null ? [] : boundProblems(objective, bounds)),
    ...repeatedProblems(objective),
    ...objective.groups.flatMap((group) => groupProblems(group, objective, layout)),
    ...stepProblems(model, objective),
    ...noiseProblems(objective, layout),
  ];
  if (problems.length > 0) throw new EngineError('ENGINE_OBJECTIVE', problems.join('\n'));
}

/**
 * Checked in every `update`: a scalar that is missing would be a step of NaN.
 *
 * @throws EngineError `ENGINE_SCALAR`.
 */
export function checkScalars({ scalars }: ObjectiveSpec, given: ObjectiveUpdate['scalars']): void {
  for (const name of scalars) {
    if (Number.isFinite(given[name])) continue;
    throw new EngineError(
      'ENGINE_SCALAR',
      `Expected a finite number for the objective's scalar \`${name}\`, got ${given[name]}. Give every update a value for ${scalars.join(', ')}.`,
    );
  }
}

function boundProblems(objective: ObjectiveSpec, bounds: ObjectiveBounds): string[] {
  const counts = [
    ['statistics', 'stats', statNames(objective).length, bounds.maxStats],
    ['scalars', 'scalars', objective.scalars.length, bounds.maxScalars],
    ['steps', 'steps', objective.steps.length, bounds.maxSteps],
  ] as const;
  return counts
    .filter(([, , count, bound]) => count > bound)
    .map(
      ([what, option, count, bound]) =>
        `Expected at most ${bound} ${what} of an objective (\`${option}\`), got ${count}: this engine has no place for more. Leave some out.`,
    );
}

/**
 * Checked in every `update` that names its steps.
 *
 * @throws EngineError `ENGINE_OBJECTIVE`.
 */
export function checkSteps({ steps }: ObjectiveSpec, chosen: ObjectiveUpdate['steps']): void {
  if (chosen === undefined) return;
  const names = steps.map(({ name }) => name);
  const unknown = chosen.find((name) => !names.includes(name));
  if (unknown === undefined) return;
  throw new EngineError(
    'ENGINE_OBJECTIVE',
    `Expected steps of the objective (${names.join(', ')}), got ${unknown}. Name steps that it has.`,
  );
}

/** Names that stand for one thing each. */
function repeatedProblems(objective: ObjectiveSpec): string[] {
  const names = {
    columns: objective.columns.map(({ name }) => name),
    noises: (objective.noises ?? []).map(({ name }) => name),
    rowOutputs: objective.rowOutputs,
    groups: objective.groups.map(({ name }) => name),
    'groups.networks': objective.groups.flatMap(({ networks }) => networks),
    'steps.stats': statNames(objective),
    scalars: objective.scalars,
  };
  return Object.entries(names).flatMap(([option, values]) => {
    const repeated = values.filter((name, k) => values.indexOf(name) < k);
    return repeated.map(
      (name) => `Expected different names in \`${option}\`, got ${name} twice. Rename one.`,
    );
  });
}

function groupProblems(
  { name, networks, learningRate }: OptimizerGroup,
  { steps, scalars }: ObjectiveSpec,
  { ranges, trainedSize }: ModelLayout,
): string[] {
  const problems: string[] = [];
  const trained = Object.keys(ranges).filter((network) => ranges[network].offset < trainedSize);
  const unknown = networks.filter((network) => !trained.includes(network));
  for (const network of unknown)
    problems.push(
      `Expected networks or free parameters of the model in group ${name} (${trained.join(', ')}), got ${network}.`,
    );
  if (networks.length === 0)
    problems.push(`Expected at least one network in group ${name}, got none. Leave the group out.`);
  const first = trained.indexOf(networks[0]);
  if (unknown.length === 0 && networks.some((network, k) => network !== trained[first + k]))
    problems.push(
      `Expected the networks of group ${name} to be neighbours in the model's order (${trained.join(', ')}), got ${networks.join(', ')}. Reorder the model's networks.`,
    );
  if (!scalars.includes(learningRate))
    problems.push(
      `Expected \`learningRate\` of group ${name} among the scalars (${scalars.join(', ')}), got ${learningRate}. Add it to \`scalars\`.`,
    );
  const owners = steps.flatMap((step) => step.groups.filter((group) => group === name).map(() => step.name));
  if (owners.length !== 1)
    problems.push(
      `Expected group ${name} in exactly one step, got ${owners.length} (${owners.join(', ') || 'none'}). Each step needs groups of its own.`,
    );
  return problems;
}

/** Perturbed parameters are made once an update, so a second step would see those from before the first. */
function noiseProblems({ noises = [], steps }: ObjectiveSpec, { ranges }: ModelLayout): string[] {
  const problems = noises
    .filter(({ network }) => !Object.hasOwn(ranges, network) || !Object.hasOwn(ranges, deviationsOf(network)))
    .map(
      ({ name, network }) =>
        `Expected a network or target with noisy layers for the noise ${name}, got ${network}. Give the network an initialDeviation, and its target one of \`${deviationsOf(network)}\`.`,
    );
  if (noises.length > 0 && steps.length > 1)
    problems.push(
      `Expected one step in an objective with noises, got ${steps.length}. Leave the noises out, or join the steps.`,
    );
  return problems;
}

function stepProblems({ targets }: ModelSpec, { steps, groups, scalars }: ObjectiveSpec): string[] {
  const names = groups.map(({ name }) => name);
  return steps.flatMap((step) => [
    ...step.groups
      .filter((group) => !names.includes(group))
      .map(
        (group) =>
          `Expected groups of the objective (${names.join(', ')}) in step ${step.name}, got ${group}. Add it to \`groups\`.`,
      ),
    ...step.blends
      .filter(({ target }) => !Object.hasOwn(targets, target))
      .map(
        ({ target }) =>
          `Expected targets of the model (${Object.keys(targets).join(', ')}) in the blends of step ${step.name}, got ${target}. Add it to the model's \`targets\`.`,
      ),
    ...step.blends
      .filter(({ tau }) => !scalars.includes(tau))
      .map(
        ({ tau }) =>
          `Expected \`tau\` of step ${step.name} among the scalars (${scalars.join(', ')}), got ${tau}. Add it to \`scalars\`.`,
      ),
    ...(Number.isInteger(step.every) && step.every >= 1
      ? []
      : [`Expected \`every\` of step ${step.name} to be an integer from 1, got ${step.every}.`]),
  ]);
}
