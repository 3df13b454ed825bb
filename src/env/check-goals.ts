/** What `checkEnv` asks of a goal environment: that its reward function says of a step what the step said itself. */
import { openStream } from '../random/streams.ts';
import type { Check } from './check-behaviour.ts';
import { sampleAction } from './check-trace.ts';
import type { Env } from './env.ts';
import { flatSize, flattenObservation } from './flatten-space.ts';
import type { Space } from './spaces.ts';

const NUM_STEPS = 100;

/** Whether `computeReward` (and `computeTerminated`) agree with random steps; another instance is asked than the one that is stepped. */
export function checkGoals(env: Env, { create, seed, report }: Check): void {
  const asked = create();
  const { observationSpace } = env;
  if (asked.computeReward === undefined || observationSpace.kind !== 'dict') return;
  const { achievedGoal, desiredGoal } = observationSpace.spaces;
  if (achievedGoal === undefined || desiredGoal === undefined) return;
  const stream = openStream(seed, 'check', 'goals');
  const limit = env.maxEpisodeSteps ?? NUM_STEPS;
  let begin = 0;
  let info = env.reset({ seed }).info ?? {};
  for (let t = 0; t < NUM_STEPS; t++) {
    const step = env.step(sampleAction(env, info, stream));
    const parts = step.observation as Record<string, unknown>;
    const achieved = flat(achievedGoal, parts.achievedGoal);
    const desired = flat(desiredGoal, parts.desiredGoal);
    const reward = asked.computeReward(achieved, desired);
    if (!(Math.abs(reward - step.reward) <= 1e-5 * Math.max(1, Math.abs(step.reward)))) {
      report(
        'error',
        'ENV_GOAL_REWARD',
        `Step ${t} gave reward ${step.reward}, and computeReward gives ${reward} for its goals.`,
        'Let both come from one function of the two goals, which looks at nothing else.',
      );
      return;
    }
    const isEnd = asked.computeTerminated?.(achieved, desired) ?? step.terminated;
    if (isEnd && !step.terminated) {
      report(
        'error',
        'ENV_GOAL_REWARD',
        `computeTerminated says that step ${t} ends the episode, and the step did not.`,
        'Let both come from one function of the two goals, which looks at nothing else.',
      );
      return;
    }
    const hasEnded = step.terminated || step.truncated || t + 1 - begin === limit;
    if (hasEnded) begin = t + 1;
    info = (hasEnded ? env.reset({ seed: seed + begin }).info : step.info) ?? {};
  }
}

function flat(space: Space, value: unknown): Float32Array {
  const row = new Float32Array(flatSize(space));
  flattenObservation(space, value, row, 0);
  return row;
}
