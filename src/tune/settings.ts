/** What a study is: everything that decides its results. */
import { nearestName } from '../config/nearest.ts';
import { configToJson, listOptions } from '../config/option.ts';
import { conflict, type Problem, showValue, throwProblems } from '../config/problems.ts';
import type { ConfigLayer } from '../config/resolve.ts';
import type { Space, TrialValues } from '../config/search-space.ts';
import { tunedLayer } from '../config/tuned-defaults.ts';
import type { AlgorithmDefinition } from '../define/define-algorithm.ts';
import { resolveEnv } from '../env/env-source.ts';
import { ConfigError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import { iterationProblems, searchesIterations } from './iteration-steps.ts';
import { checkSpace, valuesBySection } from './read-space.ts';
import { SCHEDULERS, type SchedulerName, schedulerProblems } from './schedulers/by-name.ts';
import { SEARCHERS } from './searchers/by-name.ts';
import { gridSize } from './searchers/grid.ts';
import type { Accepts } from './searchers/searcher.ts';

export interface StudySettings {
  readonly algorithm: string;
  /** Options by section, lowest source first: what all trials share. */
  readonly layers: readonly ConfigLayer[];
  readonly space: Space;
  readonly searcher: string;
  readonly scheduler: SchedulerName;
  readonly numTrials: number;
  readonly seedsPerTrial: number;
  readonly trialSteps: number;
  readonly gracePeriod: number;
  readonly reductionFactor: number;
  readonly perturbationInterval: number;
  readonly quantile: number;
  readonly resampleProbability: number;
  readonly metric: string;
  readonly mode: 'max' | 'min';
  readonly seed: number;
  readonly suggestionLag: number;
  readonly budgetSteps: number | null;
  readonly finalSeeds: number;
}

export const DEFAULTS = {
  searcher: 'tpe',
  scheduler: 'none',
  numTrials: 20,
  seedsPerTrial: 1,
  reductionFactor: 4,
  quantile: 0.25,
  resampleProbability: 0.25,
  metric: 'episodeReturnMean',
  mode: 'max',
  seed: 0,
  suggestionLag: 4,
  budgetSteps: null,
  finalSeeds: 3,
} as const;

/** A study's settings with everything filled in that was not given. */
export type PartialSettings = Partial<StudySettings> & Pick<StudySettings, 'algorithm' | 'layers' | 'space'>;

/**
 * Fills in and checks.
 *
 * @throws ConfigError `CONFIG_STUDY`, `CONFIG_RANGE`, `CONFIG_UNKNOWN` with a line for each problem; `CONFIG_CONFLICT` where an iteration takes more steps than a
 *   trial has; whatever the algorithm finds wrong with the options that all trials share; `CONFIG_ENV_UNKNOWN`, `CONFIG_ENV_MODULE` for an environment that is not there.
 */
export function completeSettings(partial: PartialSettings, definition: AlgorithmDefinition): StudySettings {
  const given = Object.fromEntries(
    Object.entries(partial).filter(([, value]) => value !== undefined),
  ) as unknown as PartialSettings;
  checkSpace(given.space, definition.options, { isChangedLater: given.scheduler === 'pbt' });
  const base = configToJson(definition.resolve(given.layers));
  const { env } = (base.environment ?? {}) as JsonObject;
  if (typeof env === 'string') resolveEnv(env); // else every trial would fail
  const trialSteps = given.trialSteps ?? Number((base.stopping as JsonObject).stopSteps ?? 0);
  if (trialSteps === 0) {
    throw new ConfigError(
      'CONFIG_STUDY',
      'How long is a trial? Set `--trial-steps` (trialSteps), or `--stop-steps`, in environment steps.',
    );
  }
  const settings = {
    gracePeriod: Math.max(1, Math.floor(trialSteps / 16)),
    perturbationInterval: Math.max(1, Math.floor(trialSteps / 10)),
    ...DEFAULTS,
    ...(given.scheduler === 'pbt' ? { searcher: 'random' } : {}),
    ...given,
    trialSteps,
  };
  throwProblems(problemsOf(settings));
  const accepts = acceptanceOf(settings, definition);
  requireAccepted(settings, definition, { accepts, base });
  if (settings.searcher !== 'grid') return settings;
  return { ...settings, numTrials: given.numTrials ?? gridSize(settings.space, accepts) };
}

/** Whether the algorithm takes values together, beside what all trials share, and a trial is long enough for them. Remembers what it was asked. */
export function acceptanceOf(settings: StudySettings, definition: AlgorithmDefinition): Accepts {
  const known = new Map<string, boolean>();
  return (values) => {
    const key = JSON.stringify(values);
    const isAccepted = known.get(key) ?? refusalOf(values, settings, definition) === null;
    known.set(key, isAccepted);
    return isAccepted;
  };
}

function refusalOf(values: TrialValues, settings: StudySettings, definition: AlgorithmDefinition) {
  try {
    throwProblems(iterationProblems(trialConfig(settings, definition, values), settings.trialSteps));
    return null;
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
}

/**
 * @param base the options that all trials share, resolved. @throws ConfigError `CONFIG_SPACE` where no values of the space that are found go together, or the
 *   searcher cannot search it; `CONFIG_CONFLICT` where that is no fault of the space.
 */
function requireAccepted(
  settings: StudySettings,
  definition: AlgorithmDefinition,
  { accepts, base }: { readonly accepts: Accepts; readonly base: JsonObject },
): void {
  const { space, seed, searcher, trialSteps } = settings;
  const context = { space, seed, number: 0, past: [] };
  const found = SEARCHERS[searcher]({ ...context, accepts });
  if (found !== null && accepts(found)) return;
  if (!searchesIterations(space)) throwProblems(iterationProblems(base, trialSteps));
  const values = found ?? (SEARCHERS[searcher](context) as TrialValues);
  const reason = refusalOf(values, settings, definition)?.message;
  const message = `No values of the search space were found that go together: every trial would fail. With ${JSON.stringify(values)}: ${reason}`;
  throw new ConfigError('CONFIG_SPACE', message);
}

function problemsOf(settings: StudySettings): Problem[] {
  const computed = ['trialSteps', 'gracePeriod', 'perturbationInterval'];
  const known = ['algorithm', 'layers', 'space', ...computed, ...Object.keys(DEFAULTS)];
  const problems = Object.keys(settings)
    .filter((name) => !known.includes(name))
    .map((name): Problem => {
      const near = nearestName(name, known);
      const hint = near === undefined ? `There are: ${known.join(', ')}.` : `Did you mean \`${near}\`?`;
      return { code: 'CONFIG_UNKNOWN', message: `Unknown setting \`${name}\` of a study. ${hint}` };
    });
  const check = (isRight: boolean, name: keyof StudySettings, expects: string) => {
    if (isRight) return;
    problems.push({
      code: 'CONFIG_RANGE',
      message: `Expected \`${name}\` to be ${expects}, got ${showValue(settings[name])}.`,
    });
  };
  for (const name of ['numTrials', 'seedsPerTrial', ...computed] as (keyof StudySettings)[]) {
    check(Number.isSafeInteger(settings[name]) && Number(settings[name]) >= 1, name, 'an integer >= 1');
  }
  for (const name of ['suggestionLag', 'finalSeeds', 'seed'] as const) {
    check(Number.isSafeInteger(settings[name]) && settings[name] >= 0, name, 'an integer >= 0');
  }
  check(settings.budgetSteps === null || settings.budgetSteps >= 1, 'budgetSteps', 'a number >= 1, or null');
  check(settings.reductionFactor > 1, 'reductionFactor', 'a number > 1');
  check(
    Object.hasOwn(SEARCHERS, settings.searcher),
    'searcher',
    `one of ${Object.keys(SEARCHERS).join(', ')}`,
  );
  check(SCHEDULERS.includes(settings.scheduler), 'scheduler', `one of ${SCHEDULERS.join(', ')}`);
  check(settings.mode === 'max' || settings.mode === 'min', 'mode', "'max' or 'min'");
  check(settings.quantile > 0 && settings.quantile <= 0.5, 'quantile', 'a number > 0 and <= 0.5');
  const { resampleProbability } = settings;
  check(resampleProbability >= 0 && resampleProbability <= 1, 'resampleProbability', 'a number in [0, 1]');
  return [...problems, ...schedulerProblems(settings)];
}

/**
 * The layers that all trials share, from what a user gave.
 *
 * A trial's process samples in its own thread, since trials run side by side; results do not depend on that.
 *
 * @throws ConfigError `CONFIG_CONFLICT` with a line for each option that a study decides itself.
 */
export function trialLayers(
  definition: AlgorithmDefinition,
  given: readonly ConfigLayer[],
  isTuned: boolean,
): ConfigLayer[] {
  throwProblems(given.flatMap(({ values }) => decidedByStudy(values)));
  const own: ConfigLayer = {
    values: {
      envRunners: { numEnvRunners: 0 },
      checkpointing: { keepCheckpoints: 1 },
      reporting: { csv: false },
    },
    source: 'the study',
    isDefault: true,
  };
  const sections = new Set(Object.keys(definition.options));
  const values = Object.fromEntries(
    Object.entries(own.values as JsonObject).filter(([section]) => sections.has(section)),
  );
  const env = envOf(given);
  const tuned = isTuned && typeof env === 'string' ? tunedLayer(definition.tunedDefaults, env) : undefined;
  return [...(tuned === undefined ? [] : [tuned]), { ...own, values }, ...given];
}

/** The environment that the last layer with one names. */
export function envOf(layers: readonly ConfigLayer[]): unknown {
  return layers
    .map(({ values }) => (values as { environment?: { env?: unknown } }).environment?.env)
    .findLast((id) => id !== undefined);
}

/** Options that say nothing where a study has its own; stopSteps is the length of a trial. */
function decidedByStudy(values: unknown): Problem[] {
  const { debugging, checkpointing, reporting, stopping } = (values ?? {}) as Partial<
    Record<string, JsonObject>
  >;
  const stops = Object.keys(stopping ?? {}).filter((name) => name !== 'stopSteps');
  const decided: readonly (readonly [name: string, value: JsonValue | undefined, reason: string])[] = [
    ['seed', debugging?.seed, 'trials get seeds of their own, from the seed of the study (`--study-seed`)'],
    ['out', checkpointing?.out, "trials get folders of their own, in the study's"],
    ['jsonl', reporting?.jsonl === false ? false : null, 'scores are read from progress.jsonl'],
    ...stops.map((name) => [name, stopping?.[name], 'a trial ends by its steps alone'] as const),
  ];
  return decided
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([name, , reason]) =>
      conflict(`\`${name}\` does not go with a study, since ${reason}: leave it out.`),
    );
}

/** The config of a trial as `train --config` takes it, without a seed: no stop condition but the steps, which the study decides. */
export function trialConfig(
  settings: StudySettings,
  definition: AlgorithmDefinition,
  values: TrialValues,
): JsonObject {
  const stopping = listOptions(definition.options)
    .filter(({ section }) => section === 'stopping')
    .map(({ name }): [string, JsonValue] => [name, name === 'stopSteps' ? settings.trialSteps : null]);
  const config = definition.resolve([
    ...settings.layers,
    { values: valuesBySection(values, definition.options), source: 'the search space' },
    { values: { stopping: Object.fromEntries(stopping), checkpointing: { out: null } }, source: 'the study' },
  ]);
  const sections = configToJson(config);
  const { seed: _, ...debugging } = sections.debugging as JsonObject;
  return { algorithm: settings.algorithm, tuned: false, ...sections, debugging };
}
