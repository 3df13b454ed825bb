/** A world in which agents come, act, pause, die and come back by chance, with whole numbers as rewards for anybody at any time. */
import type { AgentsReset, AgentsStep, MultiAgentEnv } from '../../../src/env/agents/multi-agent-env.ts';
import { Box, Discrete } from '../../../src/env/spaces.ts';
import { openStream, type Stream } from '../../../src/random/streams.ts';

/** Every draw comes from the episode's seed and from nothing that agents do, so that schedules are the same whatever they do. */
export function scheduleWorld(seats: readonly string[]): MultiAgentEnv {
  const spaces = { observationSpace: new Box(-1e9, 1e9, [2]), actionSpace: new Discrete(3) };
  let stream: Stream;
  let tick = 0;
  const observe = (): AgentsReset => {
    const acting = seats.filter(() => stream.uniform() < 0.5);
    if (acting.length === 0) acting.push(seats[stream.integer(seats.length)]);
    const observations = Object.fromEntries(seats.map((name, s) => [name, [tick, s]]));
    return { observations, acting };
  };
  return {
    agents: Object.fromEntries(seats.map((name) => [name, spaces])),
    reset({ seed = 0 } = {}) {
      stream = openStream(seed, 'world');
      tick = 0;
      return observe();
    },
    step(): AgentsStep {
      tick += 1;
      const rewards = Object.fromEntries(seats.map((name) => [name, stream.integer(7) - 3]));
      const ends = seats.map(() => stream.uniform());
      const isOver = stream.uniform() < 0.05;
      const terminated = Object.fromEntries(seats.map((name, s) => [name, ends[s] < 0.1]));
      const truncated = Object.fromEntries(seats.map((name, s) => [name, ends[s] > 0.9]));
      const result = observe();
      const finalObservations = Object.fromEntries(seats.map((name, s) => [name, [-tick, s]]));
      return {
        ...result,
        rewards,
        terminated: isOver ? true : terminated,
        truncated: isOver ? false : truncated,
        finalObservations,
      };
    },
  };
}
