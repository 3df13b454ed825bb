/** The state of a training on rollouts in a page, taken and put back. */
import type { ObservationScaling } from '../src/algorithm/observation-statistics.ts';
import { CheckpointError } from '../src/errors.ts';
import type { Learner } from '../src/learner/learner.ts';
import type { Stream } from '../src/random/streams.ts';
import type { RewardScaler } from '../src/targets/reward-scaler.ts';
import type { Collecting, CommonState, PageTrainingState, RolloutTrainingState } from './training.ts';

/** What a training on rollouts remembers. */
export interface Remembering {
  readonly learner: Learner;
  readonly scaling: ObservationScaling;
  readonly scaler: RewardScaler | null;
  readonly shuffle: Stream;
  readonly collecting: Collecting;
  readonly options: string;
}

/** Gives and takes it, but for the count of steps. `setState` keeps what it is given. */
export function rememberTraining(parts: Remembering): {
  getState(): Omit<RolloutTrainingState, 'numEnvSteps'>;
  setState(state: PageTrainingState): Promise<readonly number[]>;
} {
  return { getState: () => stateOf(parts), setState: (state) => restore(parts, state) };
}

function stateOf({ learner, scaling, scaler, shuffle, collecting, options }: Remembering) {
  return {
    algorithm: 'ppo' as const,
    options,
    parameters: learner.readParameters().slice(),
    optimizer: learner.readOptimizerState(),
    observations: structuredClone(scaling.getState()),
    rewards: structuredClone(scaler?.getState() ?? null),
    shuffle: shuffle.getState(),
    rows: collecting.rowStates(),
  };
}

/** Everything is looked at before anything changes. */
async function restore(
  { learner, scaling, scaler, shuffle, collecting, options }: Remembering,
  state: PageTrainingState,
): Promise<readonly number[]> {
  const numParameters = learner.readParameters().length;
  if (state.algorithm !== 'ppo') throw mismatch('ppo', numParameters, options, state);
  const { parameters, optimizer, observations, rewards, rows } = state;
  const fits =
    fitsCommon(state, { options, numParameters, numRows: collecting.rowStates().length, scaling }) &&
    areOfLength(numParameters, [optimizer?.m, optimizer?.v]) &&
    (rewards === null) === (scaler === null);
  if (!fits) throw mismatch('ppo', numParameters, options, state);
  learner.writeParameters(parameters);
  learner.writeOptimizerState(optimizer);
  scaling.setState(observations);
  if (rewards !== null) scaler?.setState(rewards);
  shuffle.setState(state.shuffle);
  return collecting.restore(rows);
}

interface Here {
  readonly options: string;
  readonly numParameters: number;
  readonly numRows: number;
  readonly scaling: ObservationScaling;
}

/** Whether what every algorithm remembers is of this training. */
export function fitsCommon(state: CommonState, { options, numParameters, numRows, scaling }: Here): boolean {
  return (
    state.options === options &&
    areOfLength(numParameters, [state.parameters]) &&
    (state.observations === null) === (scaling.getState() === null) &&
    state.rows?.length === numRows
  );
}

export const areOfLength = (length: number, arrays: readonly unknown[]): boolean =>
  arrays.every((values) => values instanceof Float32Array && values.length === length);

export function mismatch(
  algorithm: string,
  numParameters: number,
  options: string,
  state: PageTrainingState,
): CheckpointError {
  return new CheckpointError(
    'CHECKPOINT_MISMATCH',
    `Expected the state of a training by ${algorithm} of ${numParameters} parameters with the options ${options}, got one by ${String(state.algorithm)} with ${state.parameters?.length} and ${state.options}.`,
  );
}
