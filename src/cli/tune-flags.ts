/** The flags of `operant tune` that are not those of `train`. */
import { flagName } from '../config/option.ts';
import { showValue } from '../config/problems.ts';
import { jsonObject } from '../config/value-kind.ts';
import { ConfigError } from '../errors.ts';
import { RAY_PLACE_DEFAULTS, type RayPlaceOptions } from '../tune/ray/ray-place.ts';
import type { StudyRunOptions } from '../tune/run-study.ts';
import { SCHEDULERS } from '../tune/schedulers/by-name.ts';
import { SEARCHERS } from '../tune/searchers/by-name.ts';
import { DEFAULTS, type PartialSettings } from '../tune/settings.ts';
import { HELP_FLAG, JSON_FLAG } from './command-flags.ts';
import { type FlagSpec, type FlagValues, peekFlag } from './flags.ts';

const flag = (name: string, form: string, doc: string): FlagSpec => ({ name, form, doc, group: 'tune' });
export const TUNE_FLAGS: readonly FlagSpec[] = [
  flag(
    'space',
    '<file|JSON>',
    'What is searched: {"learningRate": {"logUniform": [1e-5, 1e-2]}, "numEpochs": {"choice": [4, 10]}}; a .json file, or a .ts or .js module. [the built-in space]',
  ),
  flag('show-space', '', 'Print the space that would be searched, as --space takes it, and run nothing.'),
  flag('num-trials', '<integer>', `Trials. [${DEFAULTS.numTrials}; with grid, all]`),
  flag(
    'searcher',
    `<${Object.keys(SEARCHERS).join('|')}>`,
    `What suggests a trial's values. [${DEFAULTS.searcher}]`,
  ),
  flag(
    'scheduler',
    `<${SCHEDULERS.join('|')}>`,
    `What stops, pauses or replaces trials. [${DEFAULTS.scheduler}]`,
  ),
  flag('trial-steps', '<integer>', 'Environment steps of a whole trial. [stopSteps]'),
  flag('grace-period', '<integer>', 'Environment steps before which no trial is stopped. [trialSteps / 16]'),
  flag(
    'reduction-factor',
    '<number>',
    `With asha, asha-promote and hyperband, one of so many goes on from a rung. [${DEFAULTS.reductionFactor}]`,
  ),
  flag(
    'perturbation-interval',
    '<integer>',
    'With pbt, environment steps of a generation. [trialSteps / 10]',
  ),
  flag(
    'quantile',
    '<number>',
    `With pbt, the share that is replaced, by as large a share. [${DEFAULTS.quantile}]`,
  ),
  flag(
    'resample-probability',
    '<number>',
    `With pbt, how often a value is drawn anew instead of moved. [${DEFAULTS.resampleProbability}]`,
  ),
  flag('seeds-per-trial', '<integer>', `A score is the mean over so many seeds. [${DEFAULTS.seedsPerTrial}]`),
  flag(
    'metric',
    '<name>',
    `A metric of the log, or episodeReturnMean, evaluation; auc:<metric> = its mean over the run. [${DEFAULTS.metric}]`,
  ),
  flag('mode', '<max|min>', `Whether more is better. [${DEFAULTS.mode}]`),
  flag('study-seed', '<integer>', `Of the searcher, and of the trials' own seeds. [${DEFAULTS.seed}]`),
  flag(
    'suggestion-lag',
    '<integer>',
    `Trials that run while another one is suggested: so many are side by side in the study, whatever --parallel is. [${DEFAULTS.suggestionLag}]`,
  ),
  flag('budget-steps', '<integer>', 'No trial begins once so many steps were taken together. [none]'),
  flag(
    'budget-seconds',
    '<number>',
    'No trial begins after so many seconds; makes a study depend on the clock. [none]',
  ),
  flag(
    'final-seeds',
    '<integer>',
    `Seeds, which no trial had, for the best config. [${DEFAULTS.finalSeeds}]`,
  ),
  flag(
    'parallel',
    '<integer>',
    'Trials side by side; the study is the same for any number. [the number of cores; on ray, all that may run]',
  ),
  flag(
    'max-retries',
    '<integer>',
    'How often a trial whose process was killed goes on from its checkpoint. [2]',
  ),
  flag('silence-seconds', '<number>', 'A process that reports nothing for so long is killed. [600]'),
  flag(
    'disk-budget-mb',
    '<number>',
    'MiB for the whole study: over it, checkpoints of ended trials are removed, worst first. [none]',
  ),
  flag(
    'on',
    '<local|ray>',
    'Where trials run: processes of this machine, or hosts of a Ray cluster, one for each; the study is the same. [local]',
  ),
  flag('out', '<folder>', "The study's folder. [studies/<algo>-<env>]"),
  flag(
    'resume',
    '<folder>',
    'Go on with a study; with --num-trials, to more trials; with --metric and --mode, after its name was wrong.',
  ),
  flag('trust', '', 'With --resume: load the modules that the study names.'),
  {
    ...JSON_FLAG,
    doc: 'One JSON object per trial on stdout, and the result; the rest on stderr.',
    group: 'tune',
  },
  { name: 'quiet', form: '', doc: 'Only warnings and errors.', group: 'tune' },
  { ...HELP_FLAG, group: 'tune' },
];

const rayFlag = (name: string, form: string, doc: string): FlagSpec => ({
  ...{ name, form, doc, group: 'tune --on ray' },
});
/** With --on ray. */
export const RAY_PLACE_FLAGS: readonly FlagSpec[] = [
  rayFlag(
    'ray-address',
    '<host:port|auto>',
    `The cluster's head; auto = the cluster that this machine is a node of. [${RAY_PLACE_DEFAULTS.rayAddress}]`,
  ),
  rayFlag(
    'trial-resources',
    '<json>',
    `What a trial reserves: CPU, GPU, memory, resources of your own. [${JSON.stringify(RAY_PLACE_DEFAULTS.trialResources)}]`,
  ),
  rayFlag('trial-labels', '<json>', 'Labels of the nodes that may run trials, {"role": "trials"}.'),
  rayFlag(
    'host-deadline-seconds',
    '<number>',
    `A host that shows no sign of life for so long is lost; its trial goes on elsewhere. [${RAY_PLACE_DEFAULTS.hostDeadlineSeconds}]`,
  ),
  rayFlag(
    'ray-working-dir',
    '<folder>',
    'The project that is sent. [the folder of the nearest package.json]',
  ),
  rayFlag('ray-package-mb', '<integer>', `MiB that may be sent in all. [${RAY_PLACE_DEFAULTS.rayPackageMb}]`),
  rayFlag(
    'insecure',
    '',
    'Use a cluster on other machines without a token: whoever reaches it runs code on it.',
  ),
];

/** The flags that a command line may have: those of a cluster are a training's without --on ray. */
export function tuneFlags(argv: readonly string[]): readonly FlagSpec[] {
  return peekFlag(argv, 'on') === 'ray' ? [...TUNE_FLAGS, ...RAY_PLACE_FLAGS] : TUNE_FLAGS;
}

/** What a resumed study takes; everything else is in its folder. */
const RESUME_FLAGS = [
  'resume',
  'trust',
  'num-trials',
  'final-seeds',
  'metric',
  'mode',
  'budget-seconds',
  'parallel',
  'max-retries',
  'silence-seconds',
  'disk-budget-mb',
  'on',
  ...RAY_PLACE_FLAGS.map(({ name }) => name),
  'json',
  'quiet',
];

export function resumeChanges(values: FlagValues, rest: readonly string[]) {
  const others = [
    ...[...values.keys()].filter((name) => !RESUME_FLAGS.includes(name)).map((name) => `--${name}`),
    ...rest,
  ];
  if (others.length > 0) {
    const allowed = RESUME_FLAGS.map((name) => `--${name}`).join(', ');
    throw new ConfigError(
      'CONFIG_CONFLICT',
      `A study keeps its settings, so \`${others[0]}\` does not go with --resume: it takes ${allowed}.`,
    );
  }
  const { numTrials, finalSeeds, metric, mode } = settingsOf(values);
  return {
    ...(numTrials === undefined ? {} : { numTrials }),
    ...(finalSeeds === undefined ? {} : { finalSeeds }),
    ...(metric === undefined ? {} : { metric }),
    ...(mode === undefined ? {} : { mode }),
  };
}

/** Settings that are numbers; each has the flag of its name, but for the seed: `--seed` is a training's. */
const NUMBERS: readonly (keyof PartialSettings)[] = [
  ...(['numTrials', 'trialSteps', 'gracePeriod', 'reductionFactor', 'perturbationInterval'] as const),
  ...(['quantile', 'resampleProbability', 'seedsPerTrial', 'seed', 'suggestionLag'] as const),
  ...(['budgetSteps', 'finalSeeds'] as const),
];
const TEXTS: readonly (keyof PartialSettings)[] = ['searcher', 'scheduler', 'metric', 'mode'];

/** What was given, as candidates: `beginStudy` checks them. */
export function settingsOf(values: FlagValues): Partial<PartialSettings> {
  const texts = TEXTS.filter((name) => values.has(name)).map((name) => [name, values.get(name)]);
  const flagOf = (name: string) => (name === 'seed' ? 'study-seed' : flagName(name));
  return Object.fromEntries([...numbersOf(NUMBERS, values, flagOf), ...texts]);
}

const RUN_OPTIONS: readonly (keyof StudyRunOptions)[] = [
  'parallel',
  'maxRetries',
  'silenceSeconds',
  'budgetSeconds',
  'diskBudgetMb',
];

/** How a study is run, as candidates: `beginStudy` checks them, too. */
export function runOptions(values: FlagValues): StudyRunOptions {
  const numbers = Object.fromEntries(numbersOf(RUN_OPTIONS, values, flagName));
  const on = values.get('on') ?? 'local';
  if (on === 'local') return numbers;
  if (on === 'ray') return { ...numbers, ray: rayPlaceOf(values) };
  throw new ConfigError('CONFIG_STUDY', `Expected --on to be local or ray, got ${showValue(on)}.`);
}

const RAY_NUMBERS: readonly (keyof RayPlaceOptions)[] = ['hostDeadlineSeconds', 'rayPackageMb'];
const RAY_TEXTS: readonly (keyof RayPlaceOptions)[] = ['rayAddress', 'rayWorkingDir'];
const RAY_OBJECTS: readonly (keyof RayPlaceOptions)[] = ['trialResources', 'trialLabels'];

/** Candidates, as well. */
function rayPlaceOf(values: FlagValues): Partial<RayPlaceOptions> {
  const { parse } = jsonObject();
  const given = (names: readonly (keyof RayPlaceOptions)[], read: (text: string) => unknown) =>
    names.flatMap((name) => {
      const text = values.get(flagName(name));
      return text === undefined ? [] : [[name, read(text)] as const];
    });
  return Object.fromEntries([
    ...numbersOf(RAY_NUMBERS, values, flagName),
    ...given(RAY_TEXTS, (text) => text),
    ...given(RAY_OBJECTS, parse),
    ...given(['insecure'], (text) => text === 'true'),
  ]);
}

function numbersOf(names: readonly string[], values: FlagValues, flagOf: (name: string) => string) {
  return names.flatMap((name) => {
    const text = values.get(flagOf(name));
    return text === undefined ? [] : [[name, numberOr(text)] as const];
  });
}

/** What is no number stays as it was written: the check that refuses it shows it. */
function numberOr(text: string): number | string {
  return text.trim() === '' || Number.isNaN(Number(text)) ? text : Number(text);
}
