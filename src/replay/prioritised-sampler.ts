/** Transitions in proportion to how wrong the learner was about them. */
import { CheckpointError, ConfigError, EngineError } from '../errors.ts';
import type { Stream } from '../random/streams.ts';
import { checkBatch, type Replay } from './replay.ts';
import { firstPosition, positionBefore } from './ring.ts';
import { createSumTree, findLeaf, type SumTree, setLeaf, setLeaves } from './sum-tree.ts';

/** Added to every error, so that nothing becomes unreachable. */
export const PRIORITY_EPSILON = 1e-6;
/** The smallest normal float32: a large alpha must not make a leaf 0. */
const LEAST_MASS = 2 ** -126;

export interface PriorityState {
  /** p^alpha of every slot. */
  readonly masses: Float32Array; // [numRows, rowSlots] f32
  readonly largestPriority: number;
  /** Positions whose transitions are in the tree: [first, end). */
  readonly first: number;
  readonly end: number;
}

export interface PrioritisedSampler {
  /** The largest p so far, 1 at first: what new transitions get. */
  readonly largestPriority: number;
  /** Sum of p^alpha over what can be sampled. */
  readonly totalMass: number;
  /**
   * Draws B transitions, one from each of B equal parts of the total mass (one draw each), and their importance weights.
   *
   * @param alpha exponent of the priorities of transitions that are new since the last call, >= 0.
   * @param beta exponent of the weights, 0 <= beta <= 1.
   * @param indices i32 [B], receives slots.
   * @param weights f32 [B], receives weights in (0, 1].
   * @throws ConfigError `CONFIG_REPLAY_BATCH` when fewer than B transitions can be sampled, `CONFIG_PRIORITY_EXPONENT`.
   */
  sample(stream: Stream, alpha: number, beta: number, indices: Int32Array, weights: Float32Array): void;
  /**
   * Gives sampled transitions their new priorities. Those that have been overwritten since the last `sample` are passed over; of
   * a transition that is there twice the last counts.
   *
   * @param errors f32 [B]; the sign does not matter.
   * @throws {@link EngineError} `ENGINE_PRIORITY` when an error is not finite.
   */
  update(indices: Int32Array, errors: Float32Array, alpha: number): void;
  getState(): PriorityState;
  /** @throws {@link CheckpointError} `CHECKPOINT_REPLAY` when the state is of another buffer. */
  setState(state: PriorityState): void;
}

/**
 * Proportional prioritised experience replay:
 *
 *     p = |error| + 1e-6,  P(i) = p_i^alpha / sum p^alpha,  w_i = (N P(i))^-beta / max over the batch
 *
 * New transitions get the largest p so far. Of each row the last `numSteps - 1` transitions have mass 0, since their window is not
 * whole; so has what was dropped, before its slot is used again.
 *
 * Source: Schaul et al. (2016), "Prioritized Experience Replay", with two departures: weights are divided by the largest of
 * the batch, not of the buffer, and p^alpha is kept as a float32, so that a checkpoint holds 4 bytes a transition. The tree is float64.
 * p^alpha is exp(alpha log p): `Math.pow` gives other bits in another Node.
 *
 * Trap: `alpha` is applied when a priority is set, so a change reaches older transitions only as they are sampled again.
 *
 * Cost: log2(slots) steps a draw and a change; 16 bytes a slot. Thread: that of the replay buffer.
 */
export function createPrioritisedSampler(replay: Replay, numSteps: number): PrioritisedSampler {
  const { ring } = replay;
  return createSlotSampler({
    ...{ numRows: ring.plan.numRows, rowSlots: ring.plan.rowSlots },
    span: () => ({ first: firstPosition(ring), end: ring.end - numSteps + 1 }),
    check: (batchSize) => checkBatch(replay, numSteps, batchSize),
  });
}

/** What is drawn from: each row has a slot for position p, p % rowSlots, whatever lies there. */
export interface DrawnSlots {
  readonly numRows: number;
  readonly rowSlots: number;
  /** Positions that can be drawn now, of every row: [first, end); both only grow. */
  span(): { readonly first: number; readonly end: number };
  /** @throws ConfigError where fewer than B can be drawn. */
  check(batchSize: number): void;
}

/** The same of whatever lies in slots. An index is row * rowSlots + slot. */
export function createSlotSampler(slots: DrawnSlots): PrioritisedSampler {
  const { numRows, rowSlots } = slots;
  const tree = createSumTree(numRows * rowSlots);
  let largest = 1;
  // Positions in the tree.
  let { first } = slots.span();
  let end = first;

  const setAll = (position: number, mass: number) => {
    for (let row = 0; row < numRows; row++) setLeaf(tree, row * rowSlots + (position % rowSlots), mass);
  };
  /** Takes in what was appended since. */
  const follow = (alpha: number) => {
    const span = slots.span();
    const newFirst = span.first;
    const newEnd = Math.max(newFirst, span.end);
    for (let position = first; position < Math.min(newFirst, end); position++) setAll(position, 0);
    const mass = massOf(largest, alpha);
    for (let position = Math.max(newFirst, end); position < newEnd; position++) setAll(position, mass);
    first = newFirst;
    end = newEnd;
  };

  return {
    get largestPriority() {
      return largest;
    },
    get totalMass() {
      return tree.nodes[1];
    },
    sample(stream, alpha, beta, indices, weights) {
      checkExponents(alpha, beta);
      slots.check(indices.length);
      follow(alpha);
      drawStratified(tree, stream, indices);
      weigh(tree, beta, indices, weights);
    },
    update(indices, errors, alpha) {
      checkExponents(alpha, 0);
      // Slots mean what they meant when they were drawn: positions in [first, end) of then.
      const firstNow = slots.span().first;
      for (let b = 0; b < indices.length; b++) {
        const priority = Math.abs(errors[b]) + PRIORITY_EPSILON;
        if (!Number.isFinite(priority)) throw notFinite(errors[b], b);
        largest = Math.max(largest, priority);
        if (positionBefore(end, indices[b] % rowSlots, rowSlots) < firstNow) continue;
        setLeaf(tree, indices[b], massOf(priority, alpha));
      }
    },
    getState() {
      return {
        masses: Float32Array.from(tree.nodes.subarray(tree.numLeaves, tree.numLeaves + numRows * rowSlots)),
        largestPriority: largest,
        first,
        end,
      };
    },
    setState(state) {
      checkState(slots, state);
      setLeaves(tree, state.masses);
      largest = state.largestPriority;
      first = state.first;
      end = state.end;
    },
  };
}

function massOf(priority: number, alpha: number): number {
  return Math.max(LEAST_MASS, Math.fround(Math.exp(alpha * Math.log(priority))));
}

function drawStratified(tree: SumTree, stream: Stream, indices: Int32Array): void {
  const part = tree.nodes[1] / indices.length;
  for (let b = 0; b < indices.length; b++) indices[b] = findLeaf(tree, (b + stream.uniform()) * part);
}

/** N and the total cancel against the largest weight, which is that of the smallest mass. */
function weigh(
  { nodes, numLeaves }: SumTree,
  beta: number,
  indices: Int32Array,
  weights: Float32Array,
): void {
  let least = Number.POSITIVE_INFINITY;
  for (let b = 0; b < indices.length; b++) least = Math.min(least, nodes[numLeaves + indices[b]]);
  const logLeast = Math.log(least);
  for (let b = 0; b < indices.length; b++) {
    weights[b] = Math.exp(beta * (logLeast - Math.log(nodes[numLeaves + indices[b]])));
  }
}

function checkExponents(alpha: number, beta: number): void {
  const isGood = alpha >= 0 && Number.isFinite(alpha) && beta >= 0 && beta <= 1;
  if (isGood) return;
  throw new ConfigError(
    'CONFIG_PRIORITY_EXPONENT',
    `Expected the priority exponent alpha to be a finite number from 0 and the weight exponent beta to lie in [0, 1], got alpha ${alpha} and beta ${beta}.`,
  );
}

function notFinite(error: number, b: number): EngineError {
  return new EngineError(
    'ENGINE_PRIORITY',
    `Expected finite errors as priorities, got ${error} for row ${b} of the batch: the learner has diverged. Lower \`learningRate\` or bound the gradient.`,
  );
}

function checkState({ numRows, rowSlots, span }: DrawnSlots, { masses, first, end }: PriorityState): void {
  // A run that could not draw yet stands at its first position.
  const isHere = masses.length === numRows * rowSlots && first <= end && end <= Math.max(first, span().end);
  if (isHere) return;
  throw new CheckpointError(
    'CHECKPOINT_REPLAY',
    `The checkpoint's priorities (${masses.length} slots, positions ${first} to ${end}) are not those of its replay buffer.`,
  );
}
