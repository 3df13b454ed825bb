/** Sequences in proportion to how wrong the learner was about them. */
import type { NamedTensor } from '../checkpoint/content.ts';
import type { StatePart } from '../checkpoint/state-part.ts';
import { readTensor } from '../checkpoint/tensor-rules.ts';
import { CheckpointError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import type { Stream } from '../random/streams.ts';
import type { FragmentStates } from './fragment-states.ts';
import { createSlotSampler, type DrawnSlots, type PrioritisedSampler } from './prioritised-sampler.ts';
import { positionBefore } from './ring.ts';

const FILE = 'replay-priorities.safetensors';
const DESCRIPTION = 'replay-priorities.json';

/** eta: how much of a sequence's priority is its largest error. */
export const LARGEST_SHARE = 0.9;

export interface SequencePriorities {
  /**
   * Draws S sequences, as `PrioritisedSampler.sample` draws transitions.
   *
   * @param drawn i32 [S], receives what `rowOf`, `positionOf` and `update` take.
   * @param weights f32 [S], importance weights in (0, 1].
   */
  sample(stream: Stream, alpha: number, beta: number, drawn: Int32Array, weights: Float32Array): void;
  rowOf(index: number): number;
  /** Where the sequence begins: until something is appended. */
  positionOf(index: number): number;
  /** @param priorities f32 [S], {@link sequencePriority} of each. */
  update(drawn: Int32Array, priorities: Float32Array, alpha: number): void;
  /** Written whole: 4 bytes for each fragment of each row. @param isSaved as the ring is; else a resume begins with none. */
  statePart(isSaved: boolean): StatePart;
}

/**
 * Priorities of the sequences that begin where fragments did:
 *
 *     p = eta max |delta| + (1 - eta) mean |delta| over the steps that are learnt, eta = 0.9
 *
 * and from there on as transitions: P(i) = p^alpha / sum p^alpha, weights (N P)^-beta over the largest of the batch; a sequence that is new, or has just
 * become whole, gets the largest p so far.
 *
 * Source: Kapturowski et al. 2019 (R2D2), section 2.3. Departure: priorities begin with the largest so far, as in Schaul et al. 2016, where R2D2's actors
 * send their own errors along.
 *
 * @param numSteps that a sequence needs. Cost and thread: as `createPrioritisedSampler`.
 */
export function createSequencePriorities(
  states: FragmentStates,
  numRows: number,
  numSteps: number,
): SequencePriorities {
  const { numSlots: rowSlots } = states;
  const span = () => {
    const { first, count } = states.beginnings(numSteps);
    const fragment = states.fragmentAt(first);
    return { first: fragment, end: fragment + count };
  };
  const slots: DrawnSlots = { numRows, rowSlots, span, check: () => undefined }; // nothing is drawn before there is a batch
  const sampler = createSlotSampler(slots);
  return {
    sample: sampler.sample,
    rowOf: (index) => Math.floor(index / rowSlots),
    positionOf: (index) => states.positionOf(positionBefore(span().end, index % rowSlots, rowSlots)),
    update: sampler.update,
    statePart: (isSaved) =>
      priorityState(sampler, slots, isSaved, (end) => Math.floor(states.fragmentAt(end - numSteps)) + 1),
  };
}

/** Of the errors of a sequence's rows, those with a weight above 0 count: `firstRow`, `firstRow + stride`, ... */
export function sequencePriority(
  errors: Float32Array,
  weights: Float32Array,
  {
    firstRow,
    stride,
    length,
  }: { readonly firstRow: number; readonly stride: number; readonly length: number },
): number {
  let largest = 0;
  let sum = 0;
  let count = 0;
  for (let u = 0; u < length; u++) {
    const r = firstRow + u * stride;
    if (weights[r] === 0) continue;
    const error = Math.abs(errors[r]);
    if (!(error <= largest)) largest = error; // NaN, too: whoever takes it says so
    sum += error;
    count += 1;
  }
  return LARGEST_SHARE * largest + (1 - LARGEST_SHARE) * (sum / Math.max(1, count));
}

/** @param wholeAt how many sequences of a row have become whole when the ring's end is there. */
function priorityState(
  sampler: PrioritisedSampler,
  { numRows, rowSlots }: DrawnSlots,
  isSaved: boolean,
  wholeAt: (end: number) => number,
): StatePart {
  const shape = [numRows * rowSlots];
  return {
    name: 'replayPriorities',
    files: [],
    getState() {
      if (!isSaved) return {};
      const { masses, ...rest } = sampler.getState();
      const tensor: NamedTensor = { dtype: 'float32', shape, data: masses };
      return { tensors: { [FILE]: { priorities: tensor } }, json: { [DESCRIPTION]: rest as JsonObject } };
    },
    readState({ tensors, json }) {
      const none = { masses: new Float32Array(shape[0]), largestPriority: 1, first: 0, end: 0 };
      if (!isSaved) return () => sampler.setState(none);
      const { data } = readTensor(tensors[FILE] ?? {}, FILE, 'priorities', {
        dtype: 'float32',
        shape,
        values: 'nonNegative',
      });
      const { largestPriority, first, end } = json[DESCRIPTION] ?? {};
      const ringEnd = json['replay.json']?.end;
      if (!isAbove(largestPriority, 0) || !isCount(first) || !isCount(end) || !isCount(ringEnd))
        throw broken();
      if (first > end || end > Math.max(first, wholeAt(ringEnd))) throw broken();
      return () => sampler.setState({ masses: data as Float32Array, largestPriority, first, end });
    },
  };
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isAbove = (value: unknown, bound: number): value is number =>
  typeof value === 'number' && value > bound && value < Infinity;

function broken(): CheckpointError {
  return new CheckpointError(
    'CHECKPOINT_REPLAY',
    "The priorities of the checkpoint's sequences are not those of its replay buffer. Use an older checkpoint.",
  );
}
