/** A player of PongDuel-v0 that runs after the ball: up while it is above the paddle's middle, down while it is below. */
import type { ScriptedPolicy } from '../../src/rollout/agents/scripted-batch.ts';

/** What the paddle covers to either side of its middle, less what it moves in a step: it does not tremble. */
const NEAR_ENOUGH = 0.04;

export const play: ScriptedPolicy = (observation) => {
  const [own, , , ball] = observation as ArrayLike<number> & number[];
  if (Math.abs(ball - own) <= NEAR_ENOUGH) return 0;
  return ball > own ? 1 : 2;
};
