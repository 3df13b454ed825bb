/** The state of a training on rollouts in a page, taken and put back. */
import type { ObservationScaling } from '../src/algorithm/observation-statistics.ts';
import { CheckpointError } from '../src/errors.ts';
import type { Learner } from '../src/learner/learner.ts';
import type { Stream } from '../src/random/streams.ts';
import type { RewardScaler } from '../src/targets/reward-scaler.ts';
import type { Collecting, PageTrainingState } from './training.ts';

/** What a training on rollouts remembers. */
export interface Remembering {
  readonly algorithm: string;
  readonly learner: Learner;
  readonly scaling: ObservationScaling;
  readonly scaler: RewardScaler | null;
  readonly shuffle: Stream;
  readonly collecting: Collecting;
  readonly options: string;
}

/** Gives and takes it, but for the count of steps. `setState` keeps what it is given. */
export function rememberTraining(parts: Remembering): {
  getState(): Omit<PageTrainingState, 'numEnvSteps'>;
  setState(state: PageTrainingState): Promise<readonly number[]>;
} {
  return { getState: () => stateOf(parts), setState: (state) => restore(parts, state) };
}

function stateOf({ algorithm, learner, scaling, scaler, shuffle, collecting, options }: Remembering) {
  return {
    algorithm,
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
  { algorithm, learner, scaling, scaler, shuffle, collecting, options }: Remembering,
  state: PageTrainingState,
): Promise<readonly number[]> {
  const numParameters = learner.readParameters().length;
  const { parameters, optimizer, observations, rewards, rows } = state;
  const fits =
    state.algorithm === algorithm &&
    state.options === options &&
    [parameters, optimizer?.m, optimizer?.v].every(
      (values) => values instanceof Float32Array && values.length === numParameters,
    ) &&
    (observations === null) === (scaling.getState() === null) &&
    (rewards === null) === (scaler === null) &&
    rows?.length === collecting.rowStates().length;
  if (!fits)
    throw new CheckpointError(
      'CHECKPOINT_MISMATCH',
      `Expected the state of a training by ${algorithm} of ${numParameters} parameters with the options ${options}, got one by ${String(state.algorithm)} with ${parameters?.length} and ${state.options}.`,
    );
  learner.writeParameters(parameters);
  learner.writeOptimizerState(optimizer);
  scaling.setState(observations);
  if (rewards !== null) scaler?.setState(rewards);
  shuffle.setState(state.shuffle);
  return collecting.restore(rows);
}
