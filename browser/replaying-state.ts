/** The state of a training from a replay buffer in a page, taken and put back. */
import type { ObservationScaling } from '../src/algorithm/observation-statistics.ts';
import type { TransitionDraws } from '../src/algorithm/transition-draws.ts';
import type { ObjectiveLearner } from '../src/learner/objective-learner.ts';
import type { Replay } from '../src/replay/replay.ts';
import { checkReplayCopy, copyReplay, restoreReplay } from '../src/replay/replay-copy.ts';
import type { Collecting, PageTrainingState, ReplayTrainingState } from './training.ts';
import { areOfLength, fitsCommon, mismatch } from './training-state.ts';

/** What a training from a replay buffer remembers. */
export interface ReplayRemembering {
  readonly learner: ObjectiveLearner;
  readonly scaling: ObservationScaling;
  readonly replay: Replay;
  readonly draws: TransitionDraws;
  readonly collecting: Collecting;
  readonly options: string;
}

export function replayingState(
  { learner, scaling, replay, draws, collecting, options }: ReplayRemembering,
  numEnvSteps: number,
): ReplayTrainingState {
  return {
    algorithm: 'dqn',
    options,
    numEnvSteps,
    parameters: learner.readParameters().slice(),
    optimizer: learner.readOptimizerState(),
    observations: structuredClone(scaling.getState()),
    rows: collecting.rowStates(),
    replay: copyReplay(replay, draws.sampler),
    draws: draws.stream.getState(),
  };
}

/** Everything is looked at before anything changes. @returns rows whose episode begins anew. */
export async function restoreReplaying(
  { learner, scaling, replay, draws, collecting, options }: ReplayRemembering,
  state: PageTrainingState,
): Promise<readonly number[]> {
  const numParameters = learner.readParameters().length;
  const { trainedSize } = learner.layout;
  const here = { options, numParameters, numRows: collecting.rowStates().length, scaling };
  if (state.algorithm !== 'dqn' || !fitsCommon(state, here))
    throw mismatch('dqn', numParameters, options, state);
  const { optimizer } = state;
  if (!areOfLength(trainedSize, [optimizer?.m, optimizer?.v]))
    throw mismatch('dqn', numParameters, options, state);
  checkReplayCopy(replay, draws.sampler, state.replay);
  learner.writeParameters(state.parameters);
  learner.writeOptimizerState(optimizer);
  scaling.setState(structuredClone(state.observations));
  restoreReplay(replay, draws.sampler, state.replay);
  draws.stream.setState(state.draws);
  return collecting.restore(structuredClone(state.rows));
}
