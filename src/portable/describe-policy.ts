/**
 * A policy's description from plain JSON of unknown origin. `loadPolicy` of 'operant' says in more words what is wrong with a file
 * (src/algorithm/read-policy.ts, src/env/space-json.ts); this one goes into browsers, where words weigh.
 */
import { flatActionSize } from '../env/flatten-action.ts';
import { flatSize } from '../env/flatten-space.ts';
import type { Box, Space } from '../env/spaces.ts';
import { CheckpointError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import { parsePolicySpec, readBound } from '../policy/policy-schema.ts';
import { type ActingSpec, actionSize } from '../policy/policy-spec.ts';

export interface DescribedPolicy {
  readonly spec: ActingSpec;
  readonly observationSpace: Space;
  readonly actionSpace: Space;
}

/** @param source for messages. @throws CheckpointError `CHECKPOINT_POLICY`. */
export function describePolicy(
  { spec: given, observationSpace, actionSpace }: JsonObject,
  source: string,
): DescribedPolicy {
  const broken = (what: string) =>
    new CheckpointError('CHECKPOINT_POLICY', `The policy of ${source} cannot be used: ${what}.`);
  const parsed = parsePolicySpec(given);
  if ('problem' in parsed) throw broken(`\`${parsed.problem}\` of its spec is not as it was saved`);
  const { spec } = parsed;
  const read = (
    name: string,
    json: JsonValue | undefined,
    size: number,
    sizeOf: (space: Space) => number,
  ) => {
    const space = readSpace(json, size);
    if (space === null || sizeOf(space) !== size)
      throw broken(`its ${name} space is none, or of another size`);
    return space;
  };
  return {
    spec,
    observationSpace: read('observation', observationSpace, spec.observationSize, flatSize),
    actionSpace: read('action', actionSpace, actionSize(spec.distribution), flatActionSize),
  };
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0;

/** @param maxSize of a box: nothing larger is allocated. @returns null for what is no space. */
function readSpace(json: JsonValue | undefined, maxSize: number): Space | null {
  const { kind, n, start = 0, nvec, spaces } = Object(json ?? null) as JsonObject;
  switch (kind) {
    case 'discrete':
      return isCount(n) && Number.isSafeInteger(start) ? { kind, n, start: start as number } : null;
    case 'multi-binary':
      return isCount(n) ? { kind, n } : null;
    case 'multi-discrete':
      return Array.isArray(nvec) && nvec.length > 0 && nvec.every(isCount) ? { kind, nvec } : null;
    case 'box':
      return readBox(json as JsonObject, maxSize);
    case 'dict': {
      const names = Object.keys(Object(spaces)).sort();
      const parts = names.map((name) => readSpace((spaces as JsonObject)[name], maxSize));
      if (names.length === 0 || !areSpaces(parts)) return null;
      return { kind, spaces: Object.fromEntries(names.map((name, k) => [name, parts[k]])) };
    }
    case 'tuple': {
      const parts = Array.isArray(spaces) ? spaces.map((part) => readSpace(part, maxSize)) : [];
      return parts.length > 0 && areSpaces(parts) ? { kind, spaces: parts } : null;
    }
    default:
      return null;
  }
}

function areSpaces(parts: readonly (Space | null)[]): parts is readonly Space[] {
  return parts.every((part) => part !== null);
}

function readBox({ shape, dtype, low, high }: JsonObject, maxSize: number): Box | null {
  if (!Array.isArray(shape) || !shape.every(isCount)) return null;
  const size = shape.reduce((product, side) => product * side, 1);
  if (size > maxSize || (dtype !== 'float32' && dtype !== 'uint8')) return null;
  return { kind: 'box', shape, dtype, size, low: readBounds(low, size), high: readBounds(high, size) };
}

/** One number for all elements, or one for each. */
function readBounds(json: JsonValue | undefined, size: number): Float32Array {
  return Float32Array.from({ length: size }, (_, i) =>
    Number(readBound(Array.isArray(json) ? json[i] : json)),
  );
}
