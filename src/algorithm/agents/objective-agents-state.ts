/** What a checkpoint holds of a policy that learns an objective among others. */
import type { StatePart } from '../../checkpoint/state-part.ts';
import { actingLayout } from '../../policy/networks/acting-network.ts';
import { objectiveLearnerState } from '../objective-learner-state.ts';
import { statisticsState } from '../observation-statistics.ts';
import { policyState } from '../policy-state.ts';
import type { AgentsStage } from './agents-stage.ts';
import type { LearningObjective } from './objective-agents-system.ts';

/** Network, optimizer and statistics. */
export function learnedObjectiveState(
  {
    name,
    group,
    spec,
    acting,
    learner,
    scaling,
  }: Pick<LearningObjective<unknown, unknown>, 'name' | 'group' | 'spec' | 'acting' | 'learner' | 'scaling'>,
  { source, seats }: Pick<AgentsStage, 'source' | 'seats'>,
): readonly StatePart[] {
  return [
    policyState({ source, spec, ...seats.groups[group].spaces }, actingLayout(spec), name),
    objectiveLearnerState(learner, spec, acting, name),
    statisticsState(scaling, spec, { policy: name }),
  ];
}
