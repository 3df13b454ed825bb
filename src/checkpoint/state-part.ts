/** A run's state in parts. Each part knows its own files; a checkpoint is all of them together. */
import { CheckpointError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { CheckpointContent } from './content.ts';
import { jsonDifferences } from './exact-json.ts';
import type { WarmStart, WarmStartSelection } from './warm-start.ts';

/** What one part adds to a checkpoint. Parts may share a file: its tensors, or the fields of its object, then come from several. */
export type PartState = Partial<CheckpointContent>;

/**
 * A piece of a run that goes into its checkpoints: parameters, statistics, random streams, environments, a replay buffer.
 *
 * Thread: main, between two iterations.
 */
export interface StatePart {
  /** For messages: `learner`, `replay`. */
  readonly name: string;
  /** Files without which this part cannot go on. */
  readonly files: readonly string[];
  /** What has to be the same in the checkpoint as here, by field. */
  readonly identity?: {
    readonly here: JsonObject;
    /** null for a field that the checkpoint does not have. */
    there(content: CheckpointContent): JsonObject;
  };
  /**
   * Ready to be written: nothing in it changes afterwards.
   *
   * @param storedSegments names of segments that need not be given again (null in their place).
   */
  getState(storedSegments: ReadonlySet<string>): PartState | Promise<PartState>;
  /**
   * Checks and reads this part of a checkpoint, and changes nothing yet: the function that it returns does, and does not fail for
   * anything that the content holds.
   *
   * @throws CheckpointError naming what is missing or does not fit.
   */
  readState(content: CheckpointContent): () => void | Promise<void>;
  /**
   * What a run that has not begun can take of a checkpoint of any other: weights, statistics. Absent = it begins anew.
   *
   * @throws CheckpointError for tensors that are damaged; one that is missing or of another shape is left.
   */
  readWarmStart?(content: CheckpointContent, selection: WarmStartSelection): WarmStart;
}

/** The parts' states as one content, asked for in order. @throws CheckpointError `CHECKPOINT_PARTS` when two write the same. */
export async function joinStates(
  parts: readonly StatePart[],
  storedSegments: ReadonlySet<string> = new Set(),
): Promise<CheckpointContent> {
  let joined: Fields = { description: {}, tensors: {}, json: {} };
  for (const part of parts) {
    joined = joinFields(joined, { ...(await part.getState(storedSegments)) }, part.name);
  }
  return joined as unknown as CheckpointContent;
}

type Fields = Readonly<Record<string, unknown>>;

/** Both, with the fields of records that both have. Leaves (numbers, lists, tensors) must not meet. */
function joinFields(first: Fields, second: Fields, place: string): Fields {
  const joined: Record<string, unknown> = { ...first };
  for (const [key, value] of Object.entries(second)) {
    const present = joined[key];
    if (present === undefined) joined[key] = value;
    else if (isRecord(present) && isRecord(value)) {
      joined[key] = joinFields(present, value, `${place}: ${key}`);
    } else {
      throw new CheckpointError(
        'CHECKPOINT_PARTS',
        `Two parts of the state write the same, \`${place}: ${key}\`: give one of them another name.`,
      );
    }
  }
  return joined;
}

/** A tensor is a leaf: it has data. */
function isRecord(value: unknown): value is Fields {
  const isObject = typeof value === 'object' && value !== null;
  return isObject && !Array.isArray(value) && !ArrayBuffer.isView(value) && !('data' in value);
}

/**
 * Checks and reads everything before anything changes; the function that it returns puts it into effect, part by part in order.
 *
 * @throws CheckpointError `CHECKPOINT_INCOMPLETE` when a file is missing, `CHECKPOINT_MISMATCH` naming each field in which
 * the parts' identities differ, and what the parts throw.
 */
export function readStates(parts: readonly StatePart[], content: CheckpointContent): () => Promise<void> {
  checkComplete(parts, content);
  checkIdentity(parts, content);
  const applications = parts.map((part) => part.readState(content));
  return async () => {
    for (const apply of applications) await apply();
  };
}

function checkComplete(parts: readonly StatePart[], { tensors, json }: CheckpointContent): void {
  const missing = parts
    .flatMap(({ files }) => files)
    .filter((file) => !Object.hasOwn(tensors, file) && !Object.hasOwn(json, file));
  if (missing.length === 0) return;
  throw new CheckpointError(
    'CHECKPOINT_INCOMPLETE',
    `This checkpoint does not hold a whole run (only a policy?): ${[...new Set(missing)].join(', ')} not found. Resume from a checkpoint that \`train\` wrote.`,
  );
}

function checkIdentity(parts: readonly StatePart[], content: CheckpointContent): void {
  const differences = parts.flatMap(({ identity }) =>
    identity === undefined ? [] : jsonDifferences(identity.there(content), identity.here as JsonValue),
  );
  if (differences.length === 0) return;
  const list = differences.map(
    ({ path, first, second }) => `${path}: ${first} in the checkpoint, ${second} here`,
  );
  throw new CheckpointError(
    'CHECKPOINT_MISMATCH',
    `The checkpoint does not fit this run:\n  ${list.join('\n  ')}\nResume without changing these options, or start a new run.`,
  );
}
