/** `operant evaluate`: episodes with a trained policy. */

import { Algorithm } from '../../algorithms/from-checkpoint.ts';
import { registerShippedEnvs } from '../../envs/index.ts';
import type { EvaluationResult } from '../algorithm/algorithm.ts';
import { resolveCheckpoint } from '../checkpoint/load-checkpoint.ts';
import { ConfigError } from '../errors.ts';
import { readInteger } from './check-command.ts';
import type { CommandContext } from './command.ts';
import { JSON_FLAG, readFlags } from './command-flags.ts';
import type { FlagSpec, FlagValues } from './flags.ts';
import { formatValue } from './format-number.ts';
import { table } from './help-text.ts';
import { renderEpisode } from './render-episode.ts';
import { EXIT } from './report-error.ts';

const USAGE = `Usage: operant evaluate --checkpoint <folder> [flags]

Runs whole episodes with the policy of a checkpoint, or of a run folder's latest one. The same seed gives the same episodes.`;

const FLAGS: readonly FlagSpec[] = [
  {
    name: 'checkpoint',
    form: '<folder>',
    doc: 'A checkpoint, a run folder (its latest), or a file `latest` or `best` in one.',
  },
  {
    name: 'episodes',
    form: '<integer>',
    doc: "How many. [the run's evaluationEpisodes]",
    alsoCalled: ['num-episodes', 'evaluation-episodes'],
  },
  { name: 'seed', form: '<integer>', doc: "Master seed of the episodes. [the run's evaluationSeed]" },
  {
    name: 'deterministic',
    form: '',
    doc: "Take the most likely action. [the run's evaluationDeterministic]",
  },
  { name: 'stochastic', form: '', doc: 'Sample actions.' },
  {
    name: 'render',
    form: '<file>',
    doc: 'Film the episode of --seed (default 0) instead: .gif, or .png for its last picture.',
  },
  {
    name: 'trust',
    form: '',
    doc: 'Load the modules (environment, network) that the checkpoint names: their code runs.',
  },
  { name: 'watch', form: '', doc: 'Show the episode of --seed (default 0) in the terminal instead.' },
  JSON_FLAG,
];

export async function evaluateCommand(context: CommandContext): Promise<number> {
  const flags = readFlags(context, USAGE, FLAGS);
  if (flags === null) return EXIT.done;
  const path = flags.get('checkpoint');
  if (path === undefined) {
    throw new ConfigError(
      'CONFIG_FLAG',
      'Which policy? Give --checkpoint <folder>: a checkpoint or a run folder.',
    );
  }
  const options = evaluateOptions(flags);
  registerShippedEnvs();
  const checkpoint = await resolveCheckpoint(path);
  if (flags.has('render') || flags.get('watch') === 'true') return renderCommand(context, flags, checkpoint);
  const trust = flags.get('trust') === 'true';
  const algorithm = await Algorithm.fromCheckpoint(
    checkpoint,
    { envRunners: { numEnvRunners: 0 } },
    { trust },
  );
  try {
    const result = await algorithm.evaluate(options);
    if (flags.get('json') === 'true') {
      context.stdout.write(`${JSON.stringify({ type: 'evaluation', checkpoint, ...result })}\n`);
    } else {
      context.stdout.write(`${resultTable(checkpoint, result)}\n`);
    }
  } finally {
    await algorithm.stop();
  }
  return EXIT.done;
}

async function renderCommand(
  context: CommandContext,
  flags: FlagValues,
  checkpoint: string,
): Promise<number> {
  const { seed = 0, deterministic = true } = evaluateOptions(flags);
  const isJson = flags.get('json') === 'true';
  const { episodeReturn, length, paths } = await renderEpisode({
    checkpoint,
    trust: flags.get('trust') === 'true',
    file: flags.get('render') ?? null,
    watch: flags.get('watch') === 'true' ? (isJson ? context.stderr : context.stdout) : null,
    seed,
    deterministic,
  });
  const result = { seed, episodeReturn, length, files: paths };
  context.stdout.write(
    isJson
      ? `${JSON.stringify({ type: 'episode', checkpoint, ...result })}\n`
      : `${[...paths, `return ${formatValue(episodeReturn)} in ${length} steps, seed ${seed}`].join('\n')}\n`,
  );
  return EXIT.done;
}

function evaluateOptions(flags: FlagValues): {
  numEpisodes?: number;
  seed?: number;
  deterministic?: boolean;
} {
  const isStochastic = flags.get('stochastic') === 'true';
  const deterministic = flags.get('deterministic');
  if (isStochastic && deterministic === 'true') {
    throw new ConfigError(
      'CONFIG_CONFLICT',
      '--deterministic and --stochastic exclude each other: give one of them.',
    );
  }
  const numEpisodes = readInteger(flags, 'episodes', 1);
  const seed = readInteger(flags, 'seed', 0);
  return {
    ...(numEpisodes === undefined ? {} : { numEpisodes }),
    ...(seed === undefined ? {} : { seed }),
    ...(isStochastic ? { deterministic: false } : {}),
    ...(deterministic === undefined ? {} : { deterministic: deterministic === 'true' }),
  };
}

function resultTable(path: string, result: EvaluationResult): string {
  const { returns, returnMean, returnStd, lengthMean, metrics } = result;
  return table([
    ['checkpoint', path],
    ['episodes', String(returns.length)],
    ['return', `${formatValue(returnMean)} +- ${formatValue(returnStd)}`],
    ['least, greatest', `${formatValue(Math.min(...returns))}, ${formatValue(Math.max(...returns))}`],
    ['mean length', `${formatValue(lengthMean)} steps`],
    ...Object.entries(metrics).map(([name, value]) => [name, formatValue(value)]),
  ]);
}
