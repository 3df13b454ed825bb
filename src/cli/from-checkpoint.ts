/** A checkpoint's config, and the algorithm restored from it. */
import type { Algorithm } from '../algorithm/algorithm.ts';
import type { LoadedCheckpoint } from '../checkpoint/load-checkpoint.ts';
import type { ConfigLayer } from '../config/resolve.ts';
import { CheckpointError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
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

/** Builds the algorithm of a checkpoint and gives it that state. The caller stops it. */
export async function algorithmFromCheckpoint(
  checkpoint: LoadedCheckpoint,
  envRunners: JsonObject = {},
): Promise<Algorithm> {
  const definition = await findAlgorithm(checkpointConfig(checkpoint).algorithm);
  const config = definition.resolve([checkpointLayer(checkpoint), { values: { envRunners } }]);
  const algorithm = await definition.build(config);
  try {
    await algorithm.setState(checkpoint.content);
  } catch (error) {
    await algorithm.stop();
    throw error;
  }
  return algorithm;
}
