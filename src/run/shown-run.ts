/** A run that a person watches: from the command line, and from a script on a terminal. */
import type { Algorithm } from '../algorithm/algorithm.ts';
import type { WarmStartReport } from '../checkpoint/warm-start.ts';
import { createConsoleReport, type Shown } from './console-report.ts';
import type { RunOutput } from './run-output.ts';
import type { RunSummary } from './run-state.ts';
import { type RunConfig, type Runnable, type StartRunOptions, startRun } from './start-run.ts';

export type ShownRunOptions = Omit<StartRunOptions, 'onReady'> & {
  /** Lines for people, told with the banner. */
  readonly notes?: readonly string[];
};

/** {@link startRun}, which tells `output` what is trained, how it gets on, and what it came to. Warnings go to its stderr unless `onWarning` takes them. */
export function startShownRun(
  runnable: Runnable,
  shown: Shown,
  config: RunConfig,
  { notes = [], ...options }: ShownRunOptions,
  output: RunOutput,
): Promise<RunSummary> {
  const { description } = options.resume?.content ?? {};
  const origin = {
    numEnvSteps: Number(description?.numEnvSteps ?? 0),
    iteration: Number(description?.iteration ?? 0),
  };
  const report = createConsoleReport(output, shown, config, origin);
  const { callbacks = [] } = options;
  return startRun(runnable, config, {
    onWarning: ({ message }) => {
      report.clear();
      output.warn(`warning: ${message}`);
    },
    ...options,
    callbacks: callbacks.length === 0 ? [report.hooks] : [report.before, ...callbacks, report.hooks],
    onReady: (algorithm, runDir) => announce(output, algorithm, { notes, config, options, runDir }),
  });
}

interface Announced {
  readonly notes: readonly string[];
  readonly config: RunConfig;
  readonly options: StartRunOptions;
  readonly runDir: string;
}

function announce(
  output: RunOutput,
  algorithm: Algorithm,
  { notes, config, options: { resume, restart, signal, handleSignals = false }, runDir }: Announced,
): void {
  for (const line of algorithm.banner) output.say(line);
  for (const note of notes) output.say(note);
  for (const line of initializationNotes(algorithm.initializedFrom)) output.say(line);
  const from = resume === undefined ? '' : `, going on from ${resume.path}`;
  const anew = restart === undefined ? '' : ': it holds no checkpoint yet, so the run begins anew';
  output.say(`Run folder: ${runDir}${from}${anew}`);
  if (Object.values(config.stopping).every((value) => value === null) && signal === undefined) {
    output.say(
      handleSignals
        ? 'No stop condition is set: Ctrl-C writes a checkpoint and ends the run.'
        : 'No stop condition is set: a hook ends the run by stop(). With `run({ handleSignals: true })` Ctrl-C writes a checkpoint and ends it.',
    );
  }
}

/** What a warm start took, and what it did not. */
function initializationNotes(report: WarmStartReport | undefined): readonly string[] {
  if (report === undefined) return [];
  const { checkpoint, taken, left } = report;
  return [
    `Initialised from ${checkpoint}: ${taken.join(', ')}`,
    ...left.map(({ name, why }) => `  not taken: ${name} (${why})`),
  ];
}
