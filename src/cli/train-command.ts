/** `operant train`. */

import { findAlgorithm } from '../../algorithms/find-algorithm.ts';
import { numLocalRunnersOf } from '../config/derived.ts';
import type { RunSummary } from '../run/run-state.ts';
import type { CommandContext } from './command.ts';
import { peekFlag } from './flags.ts';
import { flagsHelp } from './help-text.ts';
import { createJsonReport, summaryJson } from './json-report.ts';
import { createOutput, type Output } from './output.ts';
import { EXIT } from './report-error.ts';
import { prepareTraining, type TrainSetup, trainFlags } from './train-setup.ts';

/** Trains until a stop condition holds or SIGINT/SIGTERM asks for the end; returns the exit code. */
export async function trainCommand(context: CommandContext): Promise<number> {
  const { argv, stdout, stderr } = context;
  const { registerShippedEnvs } = await import('../../envs/index.ts');
  registerShippedEnvs();
  if (argv.includes('--help') || argv.includes('-h')) {
    stdout.write(`${await trainHelp(argv)}\n`);
    return EXIT.done;
  }
  if (peekFlag(argv, 'seeds') !== undefined)
    return (await import('./seeds-command.ts')).seedsCommand(context);
  const setup = await prepareTraining(argv);
  await startThreads(setup);
  const output = createOutput({ isJson: setup.isJson, isQuiet: setup.isQuiet }, stdout, stderr);
  if (setup.resume !== undefined) await warnOfOtherMachine(setup.resume.manifest.fingerprint, output);
  const summary = await runSetup(setup, output);
  output.emit(summaryJson(summary));
  if (summary.checkpointError !== null) {
    output.warn(`error: the last checkpoint could not be written: ${summary.checkpointError.message}`);
    return EXIT.failure;
  }
  return summary.stopReason === 'interrupted' ? EXIT.interrupted : EXIT.done;
}

/** Before the modules that train are loaded: threads start meanwhile. */
async function startThreads({ config: { environment, envRunners } }: TrainSetup): Promise<void> {
  if (environment === undefined || envRunners === undefined) return;
  const { warmThreads } = await import('../rollout/thread-pool.ts');
  warmThreads({
    numThreads: numLocalRunnersOf({ environment, envRunners }),
    memoryMb: envRunners.workerMemoryMb,
  });
}

async function trainHelp(argv: readonly string[]): Promise<string> {
  const definition = await findAlgorithm(peekFlag(argv, 'algo') ?? 'ppo');
  return [
    'Usage: operant train --env <id|path> [flags]',
    '',
    `Trains a policy. ${definition.name}: ${definition.title}.`,
    'Exit codes: 0 done, 1 failure, 2 bad usage or config, 130 interrupted after a checkpoint.',
    '',
    flagsHelp(trainFlags(definition)),
  ].join('\n');
}

async function runSetup(setup: TrainSetup, output: Output): Promise<RunSummary> {
  const { definition, config, resume, restart, notes } = setup;
  const { startShownRun } = await import('../run/shown-run.ts');
  const build = () => definition.build(config, { isRestored: resume !== undefined });
  const options = {
    ...(resume === undefined ? {} : { resume }),
    ...(restart === undefined ? {} : { restart: restart.path }),
    handleSignals: true,
    callbacks: output.isJson ? [...setup.callbacks, createJsonReport(output)] : setup.callbacks,
    notes,
  };
  return startShownRun({ name: definition.name, build }, definition, config, options, output);
}

/** Says what may keep a resumed run from being the same bit for bit. */
async function warnOfOtherMachine(saved: object, output: Output): Promise<void> {
  const { compareWithHere } = await import('../machine/fingerprint.ts');
  for (const { field, first, second, severity, consequence } of await compareWithHere(saved)) {
    if (severity === 'exactness')
      output.warn(`warning: ${field} was ${first} and is now ${second}. ${consequence}`);
  }
}
