/** `operant/policy/recurrent`: what `operant/policy` does, and policies that remember their episode. */
import { CheckpointError, EngineError, ShapeError } from '../errors.ts';
import type { ActionDistribution } from '../policy/inspection.ts';
import { assertKnownSpec } from '../policy/networks/known-spec.ts';
import { mlpParameterLayout } from '../policy/networks/mlp-parameters.ts';
import { openRecurrentForward } from '../policy/networks/recurrent-forward.ts';
import { recurrentStateSize } from '../policy/networks/recurrent-state.ts';
import { problemOfCells } from '../policy/recurrent-schema.ts';
import type { DescribedPolicy } from './describe-policy.ts';
import { describeSource } from './load-policy.ts';
import { describeBytes, type PolicyBytes } from './open-model.ts';
import { openMlpPolicy, openPortablePolicy, type PortableMaskOption, type PortablePolicy } from './policy.ts';
import type { PolicySource } from './policy-source.ts';
import { readParameters } from './read-parameters.ts';

export interface PortableStateOption extends PortableMaskOption {
  /** What the policy remembers of the episode, of {@link RecurrentPolicy.initialState}: [S] f64. Wanted where it remembers anything. */
  readonly state?: Float64Array;
}

/**
 * Policies with an LSTM or a GRU, and all others. What a recurrent one remembers goes in and comes out as `state`, which `act` moves on in place; whoever
 * does not want to carry it uses `actor()`, which keeps one and forgets it on `reset`. Copy a state to come back to it.
 *
 * Sums are float64 over float32 weights: states agree with those of the training engines up to float32 rounding. Cost: some 50 us an action for GRUs of 64
 * in actor and critic, each with a layer of 64. Thread: any, one policy each.
 */
export interface RecurrentPolicy extends PortablePolicy {
  /** Zeros, where an episode begins; empty for a policy that remembers nothing. */
  initialState(): Float64Array;
  /**
   * The most likely action; `state` goes on by one step.
   *
   * @throws ShapeError `SHAPE_OBSERVATION`, `SHAPE_ACTION_MASK`, `SHAPE_STATE`; EngineError `ENGINE_RECURRENT` without a state.
   */
  act(observation: unknown, options?: PortableStateOption): unknown;
  /** The same for many episodes, each with its state. */
  actBatch(
    observations: readonly unknown[],
    actionMasks?: readonly ArrayLike<number>[],
    states?: readonly Float64Array[],
  ): unknown[];
  /** How likely actions are; `state` stays. */
  distribution(observation: unknown, options?: PortableStateOption): ActionDistribution;
  /** As in `operant/policy`; `state` stays. */
  probabilities(observation: unknown, options?: PortableStateOption): readonly (readonly number[])[];
  /** As in `operant/policy`; `state` stays. */
  value(observation: unknown, options?: PortableStateOption): number | null;
}

/** As `loadPolicy` of `operant/policy`, for recurrent policies, too. */
export async function loadPolicy(source: PolicySource): Promise<RecurrentPolicy> {
  return openRecurrentPolicy(...(await describeSource(source)));
}

/** As `createPolicy` of `operant/policy`, for recurrent policies, too. */
export function createPolicy(bytes: PolicyBytes): RecurrentPolicy {
  return openRecurrentPolicy(...describeBytes(bytes));
}

function openRecurrentPolicy(described: DescribedPolicy, weights: Uint8Array): RecurrentPolicy {
  const { network } = described.spec;
  if (network.kind !== 'recurrent')
    return { ...openMlpPolicy(described, weights), initialState: () => new Float64Array(0) };
  const { cell: _cell, size: _size, numLayers: _numLayers, sizesBefore: _before, ...layers } = network; // what a cell adds to an MLP
  assertKnownSpec({ ...described.spec, network: { ...layers, kind: 'mlp' } }, 'operant/policy/recurrent');
  const problem = problemOfCells(described.spec);
  if (problem !== null)
    throw new CheckpointError(
      'CHECKPOINT_POLICY',
      `\`${problem}\` of the policy's spec is not as it was saved.`,
    );
  const spec = { ...described.spec, network };
  const { parameters, statistics } = readParameters(weights, mlpParameterLayout(spec), spec);
  const forward = openRecurrentForward(spec, parameters, statistics);
  const size = recurrentStateSize(spec);
  const policy = openPortablePolicy(described, (observation, { state }: PortableStateOption) => {
    forward.state.set(expectState(state, size));
    const row = forward.run(observation);
    state?.set(forward.state);
    return row;
  });
  const stays = (options: PortableStateOption = {}): PortableStateOption => ({
    ...options,
    ...(options.state && { state: options.state.slice() }),
  });
  const initialState = () => new Float64Array(size);
  return {
    ...policy,
    initialState,
    actBatch: (observations, masks, states) =>
      observations.map((observation, row) =>
        policy.act(observation, withState({ actionMask: masks?.[row] }, states?.[row])),
      ),
    distribution: (observation, options) => policy.distribution(observation, stays(options)),
    probabilities: (observation, options) => policy.probabilities(observation, stays(options)),
    value: (observation, options) => policy.value(observation, stays(options)),
    actor(seed) {
      const actor = policy.actor(seed);
      const state = initialState();
      return {
        act: (observation, options) => actor.act(observation, withState(options, state)),
        reset(next) {
          state.fill(0);
          actor.reset(next);
        },
      };
    },
  };
}

/** The plain policy hands on what it is asked with; its type knows nothing of states. */
function withState<O extends PortableMaskOption>(options: O | undefined, state: Float64Array | undefined): O {
  return { ...options, ...(state && { state }) } as O;
}

function expectState(state: Float64Array | undefined, size: number): Float64Array {
  if (state === undefined) {
    const message =
      'This policy remembers its episode: give `state`, of `policy.initialState()` where one begins, or act with `policy.actor()`.';
    throw new EngineError('ENGINE_RECURRENT', message);
  }
  if (state.length === size) return state;
  throw new ShapeError('SHAPE_STATE', `Expected a \`state\` of ${size} numbers, got ${state.length}.`);
}
