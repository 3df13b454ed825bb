/** `operant tune`. */
import { readFile } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { resumeStudy } from '../../algorithms/tuner.ts';
import { parseStrictJson } from '../config/strict-json.ts';
import type { AlgorithmDefinition } from '../define/define-algorithm.ts';
import { ConfigError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import { importModule } from '../modules/import-module.ts';
import { formatDuration, formatValue } from '../run/format-number.ts';
import { builtInSpace, spaceToJson } from '../tune/built-in-space.ts';
import { seedsText } from '../tune/many-seeds.ts';
import { readSpace } from '../tune/read-space.ts';
import { beginStudy, type StudyResult, type StudyRunOptions } from '../tune/run-study.ts';
import { type PartialSettings, trialLayers } from '../tune/settings.ts';
import { valuesText } from '../tune/trial.ts';
import type { CommandContext } from './command.ts';
import { type FlagValues, peekFlag } from './flags.ts';
import { flagsHelp } from './help-text.ts';
import { interruptSignal } from './interrupt.ts';
import { createOutput, type Output } from './output.ts';
import { EXIT } from './report-error.ts';
import { splitFlags } from './split-flags.ts';
import { prepareTraining } from './train-setup.ts';
import { createTrialReport } from './trial-report.ts';
import {
  RAY_PLACE_FLAGS,
  resumeChanges,
  runOptions,
  settingsOf,
  TUNE_FLAGS,
  tuneFlags,
} from './tune-flags.ts';

const USAGE = `Usage: operant tune --algo <name> --env <id|path> [--space <file|JSON>] [flags]

Searches for the options with which an algorithm does best: each trial is a training of its own, in a process of its own. Without --space it
searches what the algorithm's options say of themselves (--show-space), but for those that are set. All flags of
\`operant train\` set what the trials share. The same study comes out for any --parallel, and after a kill and --resume.
Exit codes: 0 done, 1 failure, 2 bad usage or config, 130 interrupted, to be resumed.`;

export async function tuneCommand({ argv, stdout, stderr }: CommandContext): Promise<number> {
  const { registerShippedEnvs } = await import('../../envs/index.ts');
  registerShippedEnvs();
  if (argv.includes('--help') || argv.includes('-h')) {
    stdout.write(`${USAGE}\n\n${flagsHelp([...TUNE_FLAGS, ...RAY_PLACE_FLAGS])}\n`);
    return EXIT.done;
  }
  const { values, rest } = splitFlags(argv, tuneFlags(argv));
  if (values.get('show-space') === 'true' && !values.has('resume')) {
    const { given } = await newStudy(values, rest);
    stdout.write(`${JSON.stringify(spaceToJson(given.space), null, 2)}\n`);
    return EXIT.done;
  }
  const output = createOutput(
    { isJson: values.get('json') === 'true', isQuiet: values.get('quiet') === 'true' },
    stdout,
    stderr,
  );
  const interrupt = interruptSignal();
  try {
    const startedAt = performance.now();
    const report = createTrialReport(output);
    const { onChange } = report;
    const result = await study(values, rest, {
      ...runOptions(values),
      signal: interrupt.signal,
      onChange,
    }).finally(report.end);
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
  const { given, definition } = await newStudy(values, rest);
  return beginStudy(given, definition, values.get('out') ?? null, run);
}

async function newStudy(
  values: FlagValues,
  rest: readonly string[],
): Promise<{ readonly given: PartialSettings; readonly definition: AlgorithmDefinition }> {
  if (peekFlag(rest, 'seeds') !== undefined)
    throw new ConfigError(
      'CONFIG_CONFLICT',
      '`--seeds` is for `operant train`: a study has --seeds-per-trial, and --final-seeds for its best config.',
    );
  const { definition, algorithm, layers, isTuned, callbacks } = await prepareTraining(rest);
  if (callbacks.length > 0)
    throw new ConfigError(
      'CONFIG_CONFLICT',
      'The file of --config has hooks, and trials run in processes that cannot get them: leave them out for a study.',
    );
  const own = layers.filter(({ isDefault }) => isDefault !== true);
  const shared = trialLayers(definition, own, isTuned);
  const written = values.get('space');
  const settings = settingsOf(values);
  const space =
    written === undefined
      ? builtInSpace(definition, shared, { given: own, isChangedLater: settings.scheduler === 'pbt' })
      : readSpace(await readSpaceSource(written));
  return { given: { ...settings, algorithm, layers: shared, space }, definition };
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

/** Of the first that failed. */
function whyFailed(trials: StudyResult['trials']): string {
  const reason = trials.find((trial) => trial.reason !== null)?.reason ?? null;
  return reason === null ? '' : ` (the first that failed: ${reason.split('\n')[0]})`;
}

function tell(
  { folder, best, final, bestConfig, isInterrupted, trials }: StudyResult,
  output: Output,
  seconds: number,
): void {
  output.say(`${trials.length} trials, ${formatDuration(seconds)}. Study: ${folder}`);
  if (best === null)
    output.warn(`error: no trial is complete${whyFailed(trials)}; report.md in that folder says more.`);
  else
    output.say(
      `best: trial ${best.number}, score ${formatValue(best.score as number)}: ${valuesText(best.values)}`,
    );
  if (final !== null) output.say(`on new seeds: ${seedsText(final, formatValue)}`);
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
