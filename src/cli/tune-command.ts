/** `operant tune`. */
import { readFile } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { resumeStudy } from '../../algorithms/tuner.ts';
import { parseStrictJson } from '../config/strict-json.ts';
import { ConfigError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import { importModule } from '../modules/import-module.ts';
import { beginStudy, type StudyResult, type StudyRunOptions } from '../tune/run-study.ts';
import { DEFAULTS, type PartialSettings, SCHEDULERS, SEARCHERS, trialLayers } from '../tune/settings.ts';
import { readSpace } from '../tune/space.ts';
import { type Trial, valuesText } from '../tune/study.ts';
import type { CommandContext } from './command.ts';
import { HELP_FLAG, JSON_FLAG } from './command-flags.ts';
import { type FlagSpec, type FlagValues, peekFlag } from './flags.ts';
import { formatDuration, formatValue } from './format-number.ts';
import { flagsHelp } from './help-text.ts';
import { interruptSignal } from './interrupt.ts';
import { createOutput, type Output } from './output.ts';
import { EXIT } from './report-error.ts';
import { splitFlags } from './split-flags.ts';
import { prepareTraining } from './train-setup.ts';

const flag = (name: string, form: string, doc: string): FlagSpec => ({ name, form, doc, group: 'tune' });
const TUNE_FLAGS: readonly FlagSpec[] = [
  flag(
    'space',
    '<file|JSON>',
    'What is searched: {"learningRate": {"logUniform": [1e-5, 1e-2]}, "numEpochs": {"choice": [4, 10]}}; a .json file, or a .ts or .js module.',
  ),
  flag('num-trials', '<integer>', `Trials. [${DEFAULTS.numTrials}; with grid, all]`),
  flag(
    'searcher',
    `<${Object.keys(SEARCHERS).join('|')}>`,
    `What suggests a trial's values. [${DEFAULTS.searcher}]`,
  ),
  flag('scheduler', `<${SCHEDULERS.join('|')}>`, `What stops trials early. [${DEFAULTS.scheduler}]`),
  flag('trial-steps', '<integer>', 'Environment steps of a whole trial. [stopSteps]'),
  flag('grace-period', '<integer>', 'Environment steps before which no trial is stopped. [trialSteps / 16]'),
  flag(
    'reduction-factor',
    '<number>',
    `With asha, one of so many goes on from a rung. [${DEFAULTS.reductionFactor}]`,
  ),
  flag('seeds-per-trial', '<integer>', `A score is the mean over so many seeds. [${DEFAULTS.seedsPerTrial}]`),
  flag('metric', '<name>', `A metric of the log, or episodeReturnMean, evaluation. [${DEFAULTS.metric}]`),
  flag('mode', '<max|min>', `Whether more is better. [${DEFAULTS.mode}]`),
  flag('study-seed', '<integer>', `Of the searcher, and of the trials' own seeds. [${DEFAULTS.seed}]`),
  flag(
    'suggestion-lag',
    '<integer>',
    `A suggestion knows all results but those of the last so many trials. [${DEFAULTS.suggestionLag}]`,
  ),
  flag(
    'budget-steps',
    '<integer>',
    'No trial begins once the known ones took so many steps together. [none]',
  ),
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
    'Trials side by side; the study is the same for any number. [the number of cores]',
  ),
  flag(
    'max-retries',
    '<integer>',
    'How often a trial whose process was killed goes on from its checkpoint. [2]',
  ),
  flag('silence-seconds', '<number>', 'A process that reports nothing for so long is killed. [600]'),
  flag('out', '<folder>', "The study's folder. [studies/<algo>-<env>]"),
  flag('resume', '<folder>', 'Go on with a study; with --num-trials, to more trials.'),
  flag('trust', '', 'With --resume: load the modules that the study names.'),
  {
    ...JSON_FLAG,
    doc: 'One JSON object per trial on stdout, and the result; the rest on stderr.',
    group: 'tune',
  },
  { name: 'quiet', form: '', doc: 'Only warnings and errors.', group: 'tune' },
  { ...HELP_FLAG, group: 'tune' },
];

const USAGE = `Usage: operant tune --algo <name> --env <id|path> --space <file|JSON> [flags]

Searches for the options with which an algorithm does best: each trial is a training of its own, in a process of its own. All flags of
\`operant train\` set what the trials share. The same study comes out for any --parallel, and after a kill and --resume.
Exit codes: 0 done, 1 failure, 2 bad usage or config, 130 interrupted, to be resumed.`;

export async function tuneCommand({ argv, stdout, stderr }: CommandContext): Promise<number> {
  const { registerShippedEnvs } = await import('../../envs/index.ts');
  registerShippedEnvs();
  if (argv.includes('--help') || argv.includes('-h')) {
    stdout.write(`${USAGE}\n\n${flagsHelp(TUNE_FLAGS)}\n`);
    return EXIT.done;
  }
  const { values, rest } = splitFlags(argv, TUNE_FLAGS);
  const output = createOutput(
    { isJson: values.get('json') === 'true', isQuiet: values.get('quiet') === 'true' },
    stdout,
    stderr,
  );
  const interrupt = interruptSignal();
  try {
    const startedAt = performance.now();
    const result = await study(values, rest, {
      ...runOptions(values),
      signal: interrupt.signal,
      onChange: trialReport(output),
    });
    tell(result, output, (performance.now() - startedAt) / 1000);
    if (result.isInterrupted) return EXIT.interrupted;
    return result.best === null ? EXIT.failure : EXIT.done;
  } finally {
    interrupt.dispose();
  }
}

async function study(
  values: FlagValues,
  rest: readonly string[],
  run: StudyRunOptions,
): Promise<StudyResult> {
  const resume = values.get('resume');
  if (resume !== undefined)
    return resumeStudy(resume, resumeChanges(values, rest), {
      ...run,
      trust: values.get('trust') === 'true',
    });
  const written = values.get('space');
  if (written === undefined)
    throw new ConfigError(
      'CONFIG_SPACE',
      'What is to be searched? Give --space FILE, or JSON; --help shows its form.',
    );
  const { definition, layers, isTuned } = await prepareTraining(rest);
  const algorithm = peekFlag(rest, 'algo') ?? definition.name;
  const given: PartialSettings = {
    ...settingsOf(values),
    algorithm,
    layers: trialLayers(
      definition,
      layers.filter(({ isDefault }) => isDefault !== true),
      isTuned,
    ),
    space: readSpace(await readSpaceSource(written)),
  };
  return beginStudy(given, definition, values.get('out') ?? null, run);
}

/** What a resumed study takes; everything else is in its folder. */
const RESUME_FLAGS = [
  'resume',
  'trust',
  'num-trials',
  'final-seeds',
  'budget-seconds',
  'parallel',
  'max-retries',
  'silence-seconds',
  'json',
  'quiet',
];

function resumeChanges(values: FlagValues, rest: readonly string[]) {
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
  const { numTrials, finalSeeds } = settingsOf(values);
  return {
    ...(numTrials === undefined ? {} : { numTrials }),
    ...(finalSeeds === undefined ? {} : { finalSeeds }),
  };
}

/** Numbers are candidates: {@link beginStudy} checks them. */
function settingsOf(values: FlagValues): Partial<PartialSettings> {
  const names = {
    'num-trials': 'numTrials',
    'trial-steps': 'trialSteps',
    'grace-period': 'gracePeriod',
    'reduction-factor': 'reductionFactor',
  } as const;
  const more = {
    'seeds-per-trial': 'seedsPerTrial',
    'study-seed': 'seed',
    'suggestion-lag': 'suggestionLag',
    'budget-steps': 'budgetSteps',
    'final-seeds': 'finalSeeds',
  } as const;
  const numbers = Object.entries({ ...names, ...more }).flatMap(([flagName, name]) => {
    const text = values.get(flagName);
    return text === undefined ? [] : [[name, Number(text)] as const];
  });
  const texts = ['searcher', 'scheduler', 'metric', 'mode'].flatMap((name) =>
    values.has(name) ? [[name, values.get(name)] as const] : [],
  );
  return Object.fromEntries([...numbers, ...texts]) as Partial<PartialSettings>;
}

function runOptions(values: FlagValues): StudyRunOptions {
  const names = {
    parallel: 'parallel',
    'max-retries': 'maxRetries',
    'silence-seconds': 'silenceSeconds',
    'budget-seconds': 'budgetSeconds',
  };
  const entries = Object.entries(names).flatMap(([flagName, name]) => {
    const text = values.get(flagName);
    if (text === undefined) return [];
    const value = Number(text);
    if (!(value >= (name === 'maxRetries' ? 0 : 1))) {
      throw new ConfigError(
        'CONFIG_STUDY',
        `Expected \`--${flagName}\` to be a number >= ${name === 'maxRetries' ? 0 : 1}, got \`${text}\`.`,
      );
    }
    return [[name, value] as const];
  });
  return Object.fromEntries(entries) as StudyRunOptions;
}

async function readSpaceSource(written: string): Promise<unknown> {
  try {
    if (written.trimStart().startsWith('{')) return parseStrictJson(written);
    if (extname(written) === '.json') return parseStrictJson(await readFile(written, 'utf8'));
    const module = await importModule(pathToFileURL(resolve(written)).href);
    return module.default ?? module.space;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError('CONFIG_SPACE', `Cannot read the search space \`${written}\`: ${reason}.`, {
      cause,
    });
  }
}

/** A line for each trial that ends. */
function trialReport(output: Output): (trials: readonly Trial[]) => void {
  const told = new Set<number>();
  return (trials) => {
    for (const trial of trials) {
      if (trial.state === 'running' || told.has(trial.number)) continue;
      told.add(trial.number);
      const score = trial.score === null ? '-' : formatValue(trial.score);
      output.say(
        `trial ${trial.number} ${trial.state}  score ${score}  ${valuesText(trial.values)}${trial.reason === null ? '' : `  (${trial.reason})`}`,
      );
      output.emit({ type: 'trial', ...(trial as unknown as JsonObject) });
    }
  };
}

function tell(
  { folder, best, final, bestConfig, isInterrupted, trials }: StudyResult,
  output: Output,
  seconds: number,
): void {
  output.say(`${trials.length} trials, ${formatDuration(seconds)}. Study: ${folder}`);
  if (best === null) output.warn('error: no trial is complete; report.md in that folder says why.');
  else
    output.say(
      `best: trial ${best.number}, score ${formatValue(best.score as number)}: ${valuesText(best.values)}`,
    );
  if (final !== null)
    output.say(
      `on new seeds: ${formatValue(final.mean)} +- ${formatValue(final.std)}, 95 % interval ${final.interval.map(formatValue).join(' to ')}`,
    );
  if (bestConfig !== null) output.say(`operant train --config ${bestConfig}`);
  if (isInterrupted) output.warn(`Interrupted: operant tune --resume ${folder} goes on.`);
  output.emit({
    type: 'study',
    folder,
    best: best as unknown as JsonObject | null,
    final: final as unknown as JsonObject | null,
    bestConfig,
    isInterrupted,
  });
}
