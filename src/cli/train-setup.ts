/** Everything `operant train` has to know before it starts: which algorithm, which config, from where. */

import { findAlgorithm } from '../../algorithms/find-algorithm.ts';
import {
  checkpointConfig,
  checkpointDefinition,
  checkpointLayer,
  requireTrustedModules,
  type SavedConfig,
} from '../../algorithms/from-checkpoint.ts';
import { algorithms } from '../../algorithms/registry.ts';
import { jsonDifferences } from '../checkpoint/exact-json.ts';
import { type LoadedCheckpoint, loadCheckpoint } from '../checkpoint/load-checkpoint.ts';
import { type Declarations, learningConfig, type ResolvedConfig } from '../config/option.ts';
import type { ConfigLayer } from '../config/resolve.ts';
import { tunedLayer } from '../config/tuned-defaults.ts';
import type { AlgorithmDefinition } from '../define/define-algorithm.ts';
import { ConfigError } from '../errors.ts';
import { isModuleReference } from '../modules/module-text.ts';
import type { RunCallbacks } from '../run/run-callbacks.ts';
import type { RunConfig } from '../run/start-run.ts';
import { readUnstartedRun, type UnstartedRun } from '../run/unstarted-run.ts';
import { type ConfigFile, readConfigFile } from './config-file.ts';
import { type FlagSpec, type FlagValues, peekFlag } from './flags.ts';
import { configFromFlags, optionFlags } from './option-flags.ts';
import { readTrainFlags } from './read-train-flags.ts';
import { SEEDS_FLAGS } from './seeds-flags.ts';

export interface TrainSetup {
  readonly definition: AlgorithmDefinition;
  /** As it was asked for: a name, or a module's path. */
  readonly algorithm: string;
  readonly config: RunConfig & ResolvedConfig<Declarations>;
  /** What it was made of, lowest source first. */
  readonly layers: readonly ConfigLayer[];
  /** The defaults tuned for the environment are wanted, where there are some. */
  readonly isTuned: boolean;
  readonly resume: LoadedCheckpoint | undefined;
  /** A run that was killed before its first checkpoint, to be begun anew in its folder. */
  readonly restart: UnstartedRun | undefined;
  readonly callbacks: readonly RunCallbacks[];
  readonly isJson: boolean;
  readonly isQuiet: boolean;
  /** Lines for people: what was chosen for them, and what a resume changes. */
  readonly notes: readonly string[];
}

/** The flags of `train` that are no options of an algorithm. */
const TRAIN_FLAGS: readonly FlagSpec[] = [
  {
    name: 'algo',
    form: '<name|path>',
    doc: `Algorithm: ${Object.keys(algorithms).join(', ')}, or ./my-algorithm.ts#name. [ppo]`,
    group: 'train',
  },
  {
    name: 'config',
    form: '<file>',
    doc: 'Options by section: .json, or a .ts or .js module that exports them or a builder. Flags win over it.',
    group: 'train',
  },
  {
    name: 'resume',
    form: '<folder>',
    doc: "Go on from a run folder's latest checkpoint, or from one checkpoint, with its config. A run without one is begun anew.",
    group: 'train',
  },
  {
    name: 'trust',
    form: '',
    doc: 'Load the modules (environment, network) that the resumed run names: their code runs.',
    group: 'train',
  },
  {
    name: 'tuned',
    form: '',
    doc: 'Start from the defaults tuned for the environment. [true; with --config what the file says: builder.tuned(), "tuned": true]',
    group: 'train',
  },
  {
    name: 'json',
    form: '',
    doc: 'One JSON object per iteration on stdout, and a summary; the rest on stderr.',
    group: 'train',
  },
  ...SEEDS_FLAGS,
  { name: 'quiet', form: '', doc: 'No progress, only warnings and errors.', group: 'train' },
  { name: 'help', form: '', short: 'h', doc: 'This text.', group: 'train' },
];

export function trainFlags(definition: AlgorithmDefinition): readonly FlagSpec[] {
  return [...TRAIN_FLAGS, ...optionFlags(definition.options)];
}

/** Sources in ascending order: tuned defaults (or the resumed run's config), `--config`, flags. */
export async function prepareTraining(argv: readonly string[]): Promise<TrainSetup> {
  const configPath = peekFlag(argv, 'config');
  const resumePath = peekFlag(argv, 'resume');
  const file = configPath === undefined ? undefined : await readConfigFile(configPath);
  const { resume, restart } = await readResumed(resumePath);
  const saved = resume ?? restart;
  const definition = await chooseAlgorithm(argv, file, saved);
  const values = await readTrainFlags(argv, definition, trainFlags(definition));
  if (values.has('parallel')) {
    throw new ConfigError(
      'CONFIG_CONFLICT',
      '`--parallel` is the number of runs side by side, and there is one: give --seeds with it.',
    );
  }
  const layers = collectLayers(definition, values, file, saved);
  const config = resolveLayers(definition, layers);
  return {
    definition,
    algorithm: peekFlag(argv, 'algo') ?? file?.algorithm ?? definition.name,
    config: config as TrainSetup['config'],
    layers,
    isTuned: wantsTuned(values, file),
    resume,
    restart,
    callbacks: file?.callbacks ?? [],
    isJson: values.get('json') === 'true',
    isQuiet: values.get('quiet') === 'true',
    notes: [...sourceNotes(layers), ...(resume === undefined ? [] : resumeNotes(definition, config, resume))],
  };
}

/** Where `--resume` leads: to a checkpoint, or to a run that has none yet. */
async function readResumed(path: string | undefined): Promise<Pick<TrainSetup, 'resume' | 'restart'>> {
  if (path === undefined) return { resume: undefined, restart: undefined };
  const restart = (await readUnstartedRun(path)) ?? undefined;
  return { resume: restart === undefined ? await loadCheckpoint(path) : undefined, restart };
}

async function chooseAlgorithm(
  argv: readonly string[],
  file?: ConfigFile,
  resume?: SavedConfig,
): Promise<AlgorithmDefinition> {
  const asked = peekFlag(argv, 'algo') ?? file?.algorithm;
  if (resume === undefined) return findAlgorithm(asked ?? 'ppo');
  const { algorithm: resumed } = checkpointConfig(resume);
  if (asked !== undefined && isModuleReference(asked)) {
    return checkpointDefinition(resume, await findAlgorithm(asked));
  }
  if (asked !== undefined && asked.toLowerCase() !== resumed) {
    const message = `The checkpoint \`${resume?.path}\` is of algorithm ${resumed}, not ${asked}: leave --algo out.`;
    throw new ConfigError('CONFIG_CONFLICT', message);
  }
  return checkpointDefinition(resume);
}

function collectLayers(
  definition: AlgorithmDefinition,
  values: FlagValues,
  file: ConfigFile | undefined,
  resume: SavedConfig | undefined,
): readonly ConfigLayer[] {
  const flags: ConfigLayer = {
    values: configFromFlags(definition.options, values),
    source: 'the command line',
  };
  const layers = file === undefined ? [flags] : [{ values: file.values, source: file.name }, flags];
  if (resume !== undefined) {
    if (values.get('tuned') === 'true') {
      throw new ConfigError(
        'CONFIG_CONFLICT',
        `--tuned and --resume ${resume.path} do not go together: a resumed run has its own options. Leave --tuned out, or begin a new run.`,
      );
    }
    const given = layers.map((layer) => layer.values);
    requireTrustedModules(resume, definition, given, values.get('trust') === 'true');
    return [checkpointLayer(resume), ...layers];
  }
  if (!wantsTuned(values, file)) return layers;
  const env = layers.map(envOf).findLast((id) => id !== undefined);
  const tuned = env === undefined ? undefined : tunedLayer(definition.tunedDefaults, env);
  return tuned === undefined ? layers : [tuned, ...layers];
}

function wantsTuned(values: FlagValues, file: ConfigFile | undefined): boolean {
  return values.has('tuned') ? values.get('tuned') === 'true' : (file?.isTuned ?? true);
}

function envOf({ values }: ConfigLayer): string | undefined {
  const env = (values as { readonly environment?: { readonly env?: unknown } }).environment?.env;
  return typeof env === 'string' ? env : undefined;
}

function resolveLayers(
  definition: AlgorithmDefinition,
  layers: readonly ConfigLayer[],
): ResolvedConfig<Declarations> {
  try {
    return definition.resolve(layers);
  } catch (error) {
    const tuned = layers.find(({ source }) => source?.startsWith('tuned defaults'));
    if (!(error instanceof ConfigError) || error.code !== 'CONFIG_CONFLICT' || tuned === undefined)
      throw error;
    const message = `${error.message}\nThe ${tuned.source} are in effect; --no-tuned leaves them out.`;
    throw new ConfigError('CONFIG_CONFLICT', message, { cause: error });
  }
}

function sourceNotes(layers: readonly ConfigLayer[]): readonly string[] {
  const used = layers
    .filter(({ values }) => Object.keys(values as object).length > 0)
    .map(({ source }) => source);
  return used.length === 0 ? [] : [`Options from: ${used.join(', then ')}.`];
}

function resumeNotes(
  definition: AlgorithmDefinition,
  config: ResolvedConfig<Declarations>,
  resume: LoadedCheckpoint,
): readonly string[] {
  const before = definition.resolve([checkpointLayer(resume)]);
  const changes = jsonDifferences(
    learningConfig(definition.options, before),
    learningConfig(definition.options, config),
  );
  if (changes.length === 0) return [];
  const list = changes.map(({ path, first, second }) => `${path} from ${first} to ${second}`).join(', ');
  return [`Changed on resume: ${list}. The run goes on with it, but is no longer the one it was.`];
}
