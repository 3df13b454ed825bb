/** From bytes to a policy: an exported model and its weights. */
import { CheckpointError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import { type DescribedPolicy, describePolicy } from './describe-policy.ts';
import { formatOf, MODEL_FORMAT, MODEL_FORMAT_VERSION } from './model-file.ts';
import { openMlpPolicy, type PortablePolicy } from './policy.ts';

export interface PolicyBytes {
  /** What `model.json` holds: its text, or parsed (`import model from './model.json'`). */
  readonly model: unknown;
  /** What the safetensors file beside it holds. */
  readonly weights: ArrayBuffer | Uint8Array;
}

/**
 * The policy that `operant export --to safetensors` wrote, from memory: bundled, or fetched by the caller.
 *
 * @throws CheckpointError `CHECKPOINT_POLICY`, `CHECKPOINT_VERSION`, `CHECKPOINT_TENSORS`, `CHECKPOINT_NETWORK` when the two are not a policy's;
 * EngineError `ENGINE_NETWORK` for a policy that does not act without TensorFlow.
 */
export function createPolicy(bytes: PolicyBytes): PortablePolicy {
  return openMlpPolicy(...describeBytes(bytes));
}

export function describeBytes({ model, weights }: PolicyBytes): [DescribedPolicy, Uint8Array] {
  const described = describePolicy(parseModel(model, 'model.json'), 'model.json');
  return [described, weights instanceof Uint8Array ? weights : new Uint8Array(weights)];
}

/** @param source what to call the file in an error. */
export function parseModel(model: unknown, source: string): JsonObject {
  let value = model;
  try {
    if (typeof model === 'string') value = JSON.parse(model);
  } catch (cause) {
    throw new CheckpointError('CHECKPOINT_JSON', `\`${source}\` is not JSON`, { cause });
  }
  if (formatOf(value) !== MODEL_FORMAT) {
    const message = `\`${source}\` is not of format \`${MODEL_FORMAT}\`: \`operant export --to safetensors\` writes that.`;
    throw new CheckpointError('CHECKPOINT_POLICY', message);
  }
  const { formatVersion } = value as JsonObject;
  if (formatVersion === MODEL_FORMAT_VERSION) return value as JsonObject;
  const message = `This Operant reads format version ${MODEL_FORMAT_VERSION}, and \`${source}\` has ${String(formatVersion)}. Export it again.`;
  throw new CheckpointError('CHECKPOINT_VERSION', message);
}
