/** A checkpoint's config, and the algorithm restored from it. */
import type { Algorithm as RunningAlgorithm } from '../src/algorithm/algorithm.ts';
import { besideRun } from '../src/checkpoint/beside-run.ts';
import { type LoadedCheckpoint, loadCheckpoint } from '../src/checkpoint/load-checkpoint.ts';
import { foreignModules, requireTrust } from '../src/checkpoint/trust.ts';
import { readConfigObject } from '../src/config/config-object.ts';
import type { ConfigLayer } from '../src/config/resolve.ts';
import type { AlgorithmDefinition } from '../src/define/define-algorithm.ts';
import { CheckpointError } from '../src/errors.ts';
import type { JsonObject } from '../src/json.ts';
import { isModuleReference } from '../src/modules/module-text.ts';
import { findAlgorithm } from './find-algorithm.ts';

/** Something with a saved config: a checkpoint, or a run that was killed before its first one. */
export interface SavedConfig {
  readonly path: string;
  readonly content: Pick<LoadedCheckpoint['content'], 'json'>;
}

/** The `config.json` in a checkpoint: `algorithm`, and options by section. */
export function checkpointConfig({
  content,
  path,
}: SavedConfig): JsonObject & { readonly algorithm: string } {
  const config = content.json['config.json'];
  if (typeof config?.algorithm === 'string') return { ...config, algorithm: config.algorithm };
  throw new CheckpointError(
    'CHECKPOINT_FILE_MISSING',
    `The checkpoint \`${path}\` holds no config.json that names its algorithm.`,
  );
}

/** That config as a layer. Its `out` is left: the folder may have moved, and the checkpoint's own place is what counts. */
export function checkpointLayer(checkpoint: SavedConfig): ConfigLayer {
  return {
    values: checkpointSections(checkpoint),
    source: "the checkpoint's config.json",
    isDefault: true,
  };
}

function checkpointSections(checkpoint: SavedConfig): JsonObject {
  const { checkpointing, ...sections } = readConfigObject(
    checkpointConfig(checkpoint),
    checkpoint.path,
  ).sections;
  const { out, ...kept } = (checkpointing ?? {}) as JsonObject;
  return { ...besideRun(checkpoint.path, sections as JsonObject), checkpointing: kept };
}

/**
 * The algorithm of a checkpoint: the one given, which must be that, or ours of the saved name. The saved name never is a path: what a
 * file says is not imported.
 *
 * @throws CheckpointError `CHECKPOINT_ALGORITHM`; ConfigError `CONFIG_ALGORITHM` when nobody knows the name.
 */
export async function checkpointDefinition(
  checkpoint: SavedConfig,
  given?: AlgorithmDefinition,
): Promise<AlgorithmDefinition> {
  const { algorithm: name } = checkpointConfig(checkpoint);
  if (given === undefined && !isModuleReference(name)) return findAlgorithm(name);
  if (given?.name === name) return given;
  throw new CheckpointError(
    'CHECKPOINT_ALGORITHM',
    given === undefined
      ? `The checkpoint \`${checkpoint.path}\` names a file as its algorithm (${name}), which is not loaded: give the algorithm yourself, --algo ./my-algorithm.ts#name`
      : `The checkpoint \`${checkpoint.path}\` is of algorithm ${name}, not ${given.name}`,
  );
}

/**
 * Refuses a checkpoint whose config names modules that do not ship with Operant, unless they are given anew or trusted.
 *
 * @param given what the user gave now, options by section.
 * @param use `play` runs neither schedules nor a curriculum.
 * @throws CheckpointError `CHECKPOINT_TRUST`
 */
export function requireTrustedModules(
  checkpoint: SavedConfig,
  { options }: AlgorithmDefinition,
  given: readonly unknown[],
  trust: boolean,
  use: 'train' | 'play' = 'train',
): void {
  const foreign = foreignModules(options, checkpointSections(checkpoint), given);
  const run = use === 'train' ? foreign : foreign.filter(({ isInTraining }) => !isInTraining);
  requireTrust(checkpoint.path, run, trust);
}

export interface FromCheckpointOptions {
  /**
   * Load the modules that the checkpoint's config names (an environment or a network by path): their code runs. Not needed for what ships
   * with Operant or is among the overrides. @defaultValue false
   */
  readonly trust?: boolean;
  /** What `defineAlgorithm` returned, for a checkpoint of an algorithm that does not ship with Operant. */
  readonly algorithm?: AlgorithmDefinition;
}

/**
 * Starts the algorithm of a checkpoint in that checkpoint's state: `train()` goes on exactly as if it had not stopped.
 *
 * @param path a checkpoint, a run folder (its latest checkpoint), or a pointer file `latest` or `best`.
 * @param overrides options by section laid over the saved ones, such as `{ envRunners: { numEnvRunners: 0 } }`; a factory
 *   function as `env` has to be given again. An option that affects learning makes it another run.
 * @throws CheckpointError as loadCheckpoint, `CHECKPOINT_TRUST` when it names modules of somebody's own and neither `trust` nor the
 *   overrides cover them, or when the state does not fit; ConfigError for bad overrides.
 */
async function fromCheckpoint(
  path: string,
  overrides: object = {},
  { trust = false, algorithm: given }: FromCheckpointOptions = {},
): Promise<RunningAlgorithm> {
  const checkpoint = await loadCheckpoint(path);
  const definition = await checkpointDefinition(checkpoint, given);
  requireTrustedModules(checkpoint, definition, [overrides], trust);
  const algorithm = await definition.build(
    definition.resolve([checkpointLayer(checkpoint), { values: overrides, source: 'the overrides' }]),
    { isRestored: true },
  );
  try {
    await algorithm.setState(checkpoint.content);
  } catch (error) {
    await algorithm.stop();
    throw error;
  }
  return algorithm;
}

/** A running algorithm; see `new PPOConfig().build()`. */
export type Algorithm = RunningAlgorithm;

export const Algorithm = { fromCheckpoint } as const;
