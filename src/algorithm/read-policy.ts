/** A policy's files, checked: what acts, its spaces and its statistics, as data of unknown origin. */
import type { CheckpointContent, NamedTensor } from '../checkpoint/content.ts';
import { readTensor } from '../checkpoint/tensor-rules.ts';
import { flatActionSize } from '../env/flatten-action.ts';
import { flatSize } from '../env/flatten-space.ts';
import { spaceFromJson } from '../env/space-json.ts';
import type { Space } from '../env/spaces.ts';
import { CheckpointError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import { problemOfAttention } from '../policy/attention-schema.ts';
import { parsePolicySpec } from '../policy/policy-schema.ts';
import { type ActingSpec, actionSize } from '../policy/policy-spec.ts';
import { problemOfCells } from '../policy/recurrent-schema.ts';
import type { ObservationStatistics } from '../weights/observation-statistics.ts';

export interface PolicyFiles {
  readonly spec: ActingSpec;
  readonly observationSpace: Space;
  readonly actionSpace: Space;
  readonly weights: Readonly<Record<string, NamedTensor>>;
  /** null = observations are taken as they are. */
  readonly statistics: ObservationStatistics | null;
}

/**
 * @param path for messages.
 * @param policy its name, where a checkpoint has several.
 * @throws CheckpointError `CHECKPOINT_POLICY` when there is no policy, or its description does not hold together; `CHECKPOINT_STATE`.
 */
export function readPolicyFiles(
  { json, tensors }: CheckpointContent,
  path: string,
  policy = 'default',
): PolicyFiles {
  const description = json[`policies/${policy}/policy.json`];
  const weights = tensors[`policies/${policy}/weights.safetensors`];
  if (description === undefined || weights === undefined) {
    const names = Object.keys(json).flatMap((file) => /^policies\/(.+)\/policy\.json$/.exec(file)?.[1] ?? []);
    const which = names.length === 0 ? '' : ` It has ${names.join(', ')}: give \`policy\`.`;
    throw new CheckpointError(
      'CHECKPOINT_POLICY',
      `The checkpoint \`${path}\` holds no policy \`${policy}\`.${which}`,
    );
  }
  const parsed = parsePolicySpec(description.spec);
  const problem =
    'problem' in parsed ? parsed.problem : (problemOfCells(parsed.spec) ?? problemOfAttention(parsed.spec));
  if ('problem' in parsed || problem !== null)
    throw broken(path, `\`${problem}\` of its spec is not as it was saved`);
  const { spec } = parsed;
  const observationSpace = readSpace(description.observationSpace, spec, path);
  const actionSpace = readSpace(description.actionSpace, spec, path);
  if (flatSize(observationSpace) !== spec.observationSize)
    throw broken(path, 'its observation space has another size');
  if (flatActionSize(actionSpace) !== actionSize(spec.distribution))
    throw broken(path, 'its action space has another size');
  const statistics = readStatistics(weights, spec);
  if (spec.normalizeObservations && statistics === null)
    throw broken(path, 'its observation statistics are missing');
  return { spec, observationSpace, actionSpace, weights, statistics };
}

function readSpace(json: JsonValue | undefined, spec: ActingSpec, path: string): Space {
  // A box allocates its bounds, so its size is looked at before there is one.
  checkBoxes(json, Math.max(spec.observationSize, actionSize(spec.distribution)), path);
  try {
    return spaceFromJson(json ?? null);
  } catch (cause) {
    throw broken(path, 'one of its spaces is none', cause);
  }
}

function checkBoxes(json: JsonValue | undefined, maxSize: number, path: string): void {
  if (typeof json !== 'object' || json === null) return;
  const { kind, shape, spaces } = json as JsonObject;
  if (kind === 'box') {
    const size = Array.isArray(shape)
      ? shape.reduce((product: number, size) => product * Number(size), 1)
      : Number.NaN;
    if (!(size <= maxSize)) throw broken(path, `a box of it has ${size} elements`);
  }
  if (typeof spaces !== 'object' || spaces === null) return;
  for (const part of Object.values(spaces)) checkBoxes(part, maxSize, path);
}

function readStatistics(
  weights: Readonly<Record<string, NamedTensor>>,
  { observationSize }: ActingSpec,
): ObservationStatistics | null {
  if (weights['observation/mean'] === undefined) return null;
  const read = (name: string, values: 'finite' | 'nonNegative') =>
    readTensor(weights, 'weights', name, { dtype: 'float32', shape: [observationSize], values })
      .data as Float32Array;
  return {
    mean: read('observation/mean', 'finite'),
    inverseStd: read('observation/inverseStd', 'nonNegative'),
  };
}

function broken(path: string, why: string, cause?: unknown): CheckpointError {
  return new CheckpointError(
    'CHECKPOINT_POLICY',
    `The policy of the checkpoint \`${path}\` cannot be used: ${why}.`,
    {
      cause,
    },
  );
}
