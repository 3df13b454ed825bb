/** `operant evaluate`: episodes with a trained policy. */

import { join, parse } from 'node:path';
import { Algorithm } from '../../algorithms/from-checkpoint.ts';
import { registerShippedEnvs } from '../../envs/index.ts';
import type { AgentEvaluation, EvaluateOptions, EvaluationResult } from '../algorithm/algorithm.ts';
import { evaluatePolicy } from '../algorithm/evaluate-policy.ts';
import { showValue } from '../config/problems.ts';
import { jsonObject } from '../config/value-kind.ts';
import type { AlgorithmDefinition } from '../define/define-algorithm.ts';
import { ConfigError } from '../errors.ts';
import { formatValue } from '../run/format-number.ts';
import { table } from '../run/text-table.ts';
import type { CommandContext } from './command.ts';
import { JSON_FLAG, readFlags, readInteger } from './command-flags.ts';
import type { FlagSpec, FlagValues } from './flags.ts';
import { givenAlgorithm, givenCheckpoint, playground } from './playground.ts';
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
    name: 'env',
    form: '<id|path>',
    doc: "Environment to play in, with the same spaces: a harder variant, or the run's own where its file has moved. [the run's]",
  },
  {
    name: 'env-options',
    form: '<JSON>',
    doc: "Options for the environment; laid over the run's own without --env.",
  },
  {
    name: 'algo',
    form: '<path>',
    doc: "The run's algorithm, where it is your own: ./my-algorithm.ts#name. [the run's]",
  },
  {
    name: 'deterministic',
    form: '',
    doc: "Take the most likely action. [the run's evaluationDeterministic]",
  },
  { name: 'stochastic', form: '', doc: 'Sample actions.' },
  {
    name: 'render',
    form: '<file>',
    doc: 'Film instead, --episodes (default 1) from --seed (default 0) on, each into a file of its own: .gif, or .png for its last picture.',
  },
  {
    name: 'trust',
    form: '',
    doc: 'Load the modules (environment, network) that the checkpoint names: their code runs.',
  },
  {
    name: 'policy-for',
    form: '<JSON>',
    doc: "Among several agents, who acts for whom, as the option policyFor. [the run's]",
  },
  {
    name: 'opponents',
    form: '<names>',
    doc: "Among several agents, whom the policy that learned meets from every seat: policies or past versions, with commas. [the run's]",
  },
  { name: 'watch', form: '', doc: 'Show the episode of --seed (default 0) in the terminal instead.' },
  JSON_FLAG,
];

export async function evaluateCommand(context: CommandContext): Promise<number> {
  const flags = readFlags(context, USAGE, FLAGS);
  if (flags === null) return EXIT.done;
  const options = evaluateOptions(flags);
  registerShippedEnvs();
  const checkpoint = await givenCheckpoint(flags, 'Which policy?');
  if (flags.has('render') || flags.get('watch') === 'true')
    return renderCommand(context, options, flags, checkpoint);
  const result = await evaluate(checkpoint, options, flags);
  if (flags.get('json') === 'true') {
    context.stdout.write(`${JSON.stringify({ type: 'evaluation', checkpoint, ...result })}\n`);
  } else {
    context.stdout.write(`${resultTable(checkpoint, result)}\n`);
  }
  return EXIT.done;
}

/** Nothing of the run is loaded but its policy; of several agents all, since they act together. */
async function evaluate(
  checkpoint: string,
  given: EvaluateOptions,
  flags: FlagValues,
): Promise<EvaluationResult> {
  const trust = flags.get('trust') === 'true';
  const { policyFor: _cast, opponents: _others, ...options } = given;
  const { source, evaluation, faultTolerance, hasSeveralAgents } = await playground(checkpoint, flags);
  const isElsewhere = flags.has('env') || flags.has('env-options');
  if (hasSeveralAgents && !isElsewhere)
    return evaluateAgents(checkpoint, given, {
      trust,
      algorithm: await givenAlgorithm(flags),
    });
  refuseCast(
    given,
    hasSeveralAgents
      ? 'are for the environment of the run, and --env or --env-options make another'
      : NO_AGENTS,
  );
  return evaluatePolicy(checkpoint, {
    numEpisodes: evaluation.evaluationEpisodes,
    deterministic: evaluation.evaluationDeterministic,
    seed: evaluation.evaluationSeed,
    ...options,
    mustSample: options.deterministic === false,
    numEnvs: evaluation.evaluationNumEnvs,
    maxEpisodeSteps: evaluation.evaluationMaxEpisodeSteps,
    faults: faultTolerance,
    source,
    trust,
  });
}

async function evaluateAgents(
  checkpoint: string,
  options: EvaluateOptions,
  from: { readonly trust: boolean; readonly algorithm: AlgorithmDefinition | undefined },
): Promise<EvaluationResult> {
  const { trust, algorithm: given } = from;
  const algorithm = await Algorithm.fromCheckpoint(
    checkpoint,
    { envRunners: { numEnvRunners: 0 } },
    { trust, ...(given === undefined ? {} : { algorithm: given }) },
  );
  try {
    return await algorithm.evaluate(options);
  } finally {
    await algorithm.stop();
  }
}

async function renderCommand(
  context: CommandContext,
  { seed: firstSeed = 0, deterministic = true, numEpisodes = 1, ...given }: EvaluateOptions,
  flags: FlagValues,
  checkpoint: string,
): Promise<number> {
  const isJson = flags.get('json') === 'true';
  const trust = flags.get('trust') === 'true';
  const { source, cast } = await playground(checkpoint, flags);
  const { policyFor, opponents } = given;
  if (cast === null) refuseCast(given, NO_AGENTS);
  else if (opponents !== undefined)
    throw new ConfigError(
      'CONFIG_CONFLICT',
      '--opponents are met from every seat in turn, and an episode that is shown has one cast: name it by --policy-for.',
    );
  for (let seed = firstSeed; seed < firstSeed + numEpisodes; seed++) {
    const { episodeReturn, returns, length, paths } = await renderEpisode({
      checkpoint,
      source,
      trust,
      file: filmName(flags.get('render'), numEpisodes, seed),
      watch: flags.get('watch') === 'true' ? (isJson ? context.stderr : context.stdout) : null,
      seed,
      deterministic,
      cast: cast === null || policyFor === undefined ? cast : { ...cast, policyFor },
    });
    const result = { seed, episodeReturn, ...(returns !== null && { returns }), length, files: paths };
    context.stdout.write(
      isJson
        ? `${JSON.stringify({ type: 'episode', checkpoint, ...result })}\n`
        : `${[...paths, `${toldReturn(episodeReturn, returns)} in ${length} steps, seed ${seed}`].join('\n')}\n`,
    );
  }
  return EXIT.done;
}

const NO_AGENTS = 'say who acts for whom among several agents, and this run has one';

function toldReturn(sum: number, returns: Readonly<Record<string, number>> | null): string {
  if (returns === null) return `return ${formatValue(sum)}`;
  return `returns ${Object.entries(returns)
    .map(([name, value]) => `${name} ${formatValue(value)}`)
    .join(', ')}`;
}

/** `film.gif` for one episode, `film-3.gif` for that of seed 3 among several; null = no film. */
function filmName(file: string | undefined, numEpisodes: number, seed: number): string | null {
  if (file === undefined) return null;
  if (numEpisodes === 1) return file;
  const { dir, name, ext } = parse(file);
  return join(dir, `${name}-${seed}${ext}`);
}

function evaluateOptions(flags: FlagValues): EvaluateOptions {
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
    ...(flags.has('policy-for') ? { policyFor: readPolicyFor(flags.get('policy-for') ?? '') } : {}),
    ...(flags.has('opponents') ? { opponents: (flags.get('opponents') ?? '').split(',') } : {}),
  };
}

function refuseCast(given: Pick<EvaluateOptions, 'policyFor' | 'opponents'>, why: string): void {
  if (given.policyFor === undefined && given.opponents === undefined) return;
  throw new ConfigError('CONFIG_CONFLICT', `--policy-for and --opponents ${why}: leave them out.`);
}

function readPolicyFor(text: string): Readonly<Record<string, string | readonly string[]>> {
  const { schema, expects, parse } = jsonObject();
  const result = schema.safeParse(parse(text));
  const isPolicy = (value: unknown) => typeof value === 'string' || Array.isArray(value);
  if (result.success && Object.values(result.data).every(isPolicy))
    return result.data as Readonly<Record<string, string | readonly string[]>>;
  throw new ConfigError(
    'CONFIG_TYPE',
    `Expected --policy-for to be ${expects}, a policy or a list of them by agent, got ${showValue(text)}.`,
  );
}

function resultTable(path: string, result: EvaluationResult): string {
  const { returns, returnMean, returnStd, returnInterval, lengthMean, numEpisodesCut, metrics } = result;
  return table([
    ['checkpoint', path],
    ['episodes', String(returns.length)],
    ['return', `${formatValue(returnMean)} +- ${formatValue(returnStd)}`],
    ...(returnInterval === null
      ? []
      : [['95% of its mean', returnInterval.map((value) => formatValue(value)).join(' to ')]]),
    ['least, greatest', `${formatValue(Math.min(...returns))}, ${formatValue(Math.max(...returns))}`],
    ['mean length', `${formatValue(lengthMean)} steps`],
    ...(numEpisodesCut === 0 ? [] : [['cut without an end', `${numEpisodesCut} episodes`]]),
    ...Object.entries(metrics).map(([name, value]) => [name, formatValue(value)]),
    ...partRows('agent', result.agents),
    ...partRows('policy', result.policies),
    ...partRows('against', result.opponents),
    ...Object.entries(result.opponents ?? {}).flatMap(([name, { bySeat }]) =>
      partRows(`against ${name} as`, bySeat),
    ),
  ]);
}

/** How each agent or policy did; nothing of those who took no part. */
function partRows(what: string, parts: Readonly<Record<string, AgentEvaluation>> = {}): string[][] {
  return Object.entries(parts).flatMap(([name, { returnMean, wins, draws, losses }]) => {
    if (returnMean === null) return [];
    const outcomes = wins + draws + losses === 0 ? '' : `, won ${wins}, drew ${draws}, lost ${losses}`;
    return [[`${what} ${name}`, `${formatValue(returnMean)}${outcomes}`]];
  });
}
