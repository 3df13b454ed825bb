/** Rollout workers as helpers of the learner: while it updates, they would idle. */
import type { ThreadTeam } from '../learner/simd/thread-team.ts';
import { Command } from './control-words.ts';
import type { WorkerTeam } from './worker-team.ts';

/**
 * Lends the first `numHelpers` workers. One that dies while it helps is replaced when the update is over; if the
 * update waits for it, it begins again with the others.
 */
export function borrowThreads(team: WorkerTeam, numHelpers: number): ThreadTeam {
  return {
    numHelpers,
    start: () => team.give(Command.LEARN, numHelpers),
    finish: () => team.settle(numHelpers),
    isAlive: (threadIndex) => team.isAlive(threadIndex - 1),
  };
}
