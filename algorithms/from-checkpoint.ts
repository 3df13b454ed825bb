/** A checkpoint's config, and the algorithm restored from it. */
import type { Algorithm as RunningAlgorithm } from '../src/algorithm/algorithm.ts';
import { type LoadedCheckpoint, loadCheckpoint } from '../src/checkpoint/load-checkpoint.ts';
import type { ConfigLayer } from '../src/config/resolve.ts';
import { CheckpointError } from '../src/errors.ts';
import type { JsonObject } from '../src/json.ts';
import { findAlgorithm } from './find-algorithm.ts';

/** The `config.json` in a checkpoint: `algorithm`, and options by section. */
export function checkpointConfig({
  content,
  path,
}: LoadedCheckpoint): JsonObject & { readonly algorithm: string } {
  const config = content.json['config.json'];
  if (typeof config?.algorithm === 'string') return { ...config, algorithm: config.algorithm };
  throw new CheckpointError(
    'CHECKPOINT_FILE_MISSING',
    `The checkpoint \`${path}\` holds no config.json that names its algorithm.`,
  );
}

/** That config as a layer. Its `out` is left: the folder may have moved, and the checkpoint's own place is what counts. */
export function checkpointLayer(checkpoint: LoadedCheckpoint): ConfigLayer {
  const { algorithm, checkpointing, ...sections } = checkpointConfig(checkpoint);
  const { out, ...kept } = (checkpointing ?? {}) as JsonObject;
  return {
    values: { ...sections, checkpointing: kept },
    source: "the checkpoint's config.json",
    isDefault: true,
  };
}

/**
 * Starts the algorithm of a checkpoint in that checkpoint's state: `train()` goes on exactly as if it had not stopped.
 *
 * @param path a checkpoint, a run folder (its latest checkpoint), or a pointer file `latest` or `best`.
 * @param overrides options by section laid over the saved ones, such as `{ envRunners: { numEnvRunners: 0 } }`; a factory
 *   function as `env` has to be given again. An option that affects learning makes it another run.
 * @throws CheckpointError as loadCheckpoint, or when the state does not fit; ConfigError for bad overrides.
 */
async function fromCheckpoint(path: string, overrides: object = {}): Promise<RunningAlgorithm> {
  const checkpoint = await loadCheckpoint(path);
  const definition = await findAlgorithm(checkpointConfig(checkpoint).algorithm);
  const algorithm = await definition.build(
    definition.resolve([checkpointLayer(checkpoint), { values: overrides, source: 'the overrides' }]),
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
