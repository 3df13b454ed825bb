/** A goal environment in one file: on a line of seven places, reach the one that is asked for. */
import type { Env } from '../../src/env/env.ts';
import { Box, Dict, Discrete } from '../../src/env/spaces.ts';

export default function lineEnv(options: { ends?: boolean } = {}): Env {
  let place = 3;
  let goal = 0;
  let steps = 0;
  const { ends = false } = options;
  const observe = () => ({ achievedGoal: [place], desiredGoal: [goal], observation: [place, steps] });
  return {
    observationSpace: new Dict({
      achievedGoal: new Box(0, 6, [1]),
      desiredGoal: new Box(0, 6, [1]),
      observation: new Box(0, 100, [2]),
    }),
    actionSpace: new Discrete(2),
    maxEpisodeSteps: 10,
    reset({ seed = 0 } = {}) {
      place = 3;
      goal = seed % 7;
      steps = 0;
      return { observation: observe() };
    },
    step(action) {
      place = Math.min(6, Math.max(0, place + (action === 1 ? 1 : -1)));
      steps += 1;
      const terminated = ends && place === goal;
      return { observation: observe(), reward: place === goal ? 0 : -1, terminated, truncated: false };
    },
    computeReward: (achieved, desired) => (achieved[0] === desired[0] ? 0 : -1),
    ...(ends && { computeTerminated: (achieved, desired) => achieved[0] === desired[0] }),
  };
}
