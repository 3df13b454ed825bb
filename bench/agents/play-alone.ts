/** Games of several agents alone: random allowed actions, observations and masks written as a policy would read them. */
import { AgentEnd } from '../../src/env/agents/agents-kernel.ts';
import { makeAgentsEnvs } from '../../src/env/agents/load-agents-env.ts';
import { createSeatLayout } from '../../src/env/agents/seat-layout.ts';
import type { EnvSource } from '../../src/env/env-source.ts';
import type { Discrete } from '../../src/env/spaces.ts';
import { openStream } from '../../src/random/streams.ts';

/**
 * `numEnvs` games at a time, in this thread. All agents have Discrete actions.
 *
 * @returns takes `numSteps` steps of every game; gives how many actions agents took in them.
 */
export async function playAlone(source: EnvSource, numEnvs: number, numSteps: number): Promise<() => number> {
  const envs = await makeAgentsEnvs(source, numEnvs);
  const { seats, results } = envs;
  const { groups, groupOf, actionOffsets, actionStride } = createSeatLayout(seats);
  const stream = openStream(1, 'bench');
  const actions = new Float32Array(numEnvs * actionStride);
  const mask = new Uint8Array(64);
  const row = new Float32Array(256);
  const choose = (n: number): number => {
    let numActing = 0;
    for (let s = 0; s < seats.length; s++) {
      if (results.acting[s] === 0) continue;
      numActing += 1;
      envs.writeObservation(n, s, row, 0);
      const numActions = (seats[s].actionSpace as Discrete).n;
      let action = stream.integer(numActions);
      if (groups[groupOf[s]].maskSize > 0) {
        envs.writeMask(n, s, mask, 0);
        while (mask[action] === 0) action = (action + 1) % numActions;
      }
      actions[n * actionStride + actionOffsets[s]] = action;
    }
    return numActing;
  };
  const chosen = new Int32Array(numEnvs);
  let seed = 0;
  for (let n = 0; n < numEnvs; n++) {
    envs.reset(n, seed++);
    chosen[n] = choose(n);
  }
  return () => {
    let count = 0;
    for (let t = 0; t < numSteps; t++) {
      for (let n = 0; n < numEnvs; n++) {
        count += chosen[n];
        envs.step(n, actions, n * actionStride);
        if (results.episodeEnd !== AgentEnd.NONE) envs.reset(n, seed++);
        chosen[n] = choose(n);
      }
    }
    return count;
  };
}
