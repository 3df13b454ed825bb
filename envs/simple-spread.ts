/**
 * SimpleSpread-v3: agents share out landmarks among themselves without running into each other. The numbers are those of mpe2's simple_spread_v3.
 *
 * ## Agents
 * `agent_0`, `agent_1`, ..., all in every step, with the same spaces.
 *
 * ## Action Space
 * `Discrete(5)`: nothing, left, right, down, up.
 *
 * ## Observation Space
 * `Box(6 * numAgents)`, 18 for three: own velocity (2) and position (2), where the landmarks are as seen from here (2 each), where the others are
 * (2 each), and what they say (2 each, always 0: nobody speaks here).
 *
 * ## Central State
 * All agents' observations, one after the other.
 *
 * ## Rewards
 * `(1 - localRatio)` times the negative sum over landmarks of the distance of the nearest agent, which is the same for everybody, plus
 * `localRatio` times minus one for each agent that one overlaps with.
 *
 * ## Beginning
 * Agents and landmarks uniform in the square from -1 to 1, at rest.
 *
 * ## Episode End
 * Truncated after 25 steps. Random play makes about -27 an agent, and -53 with `localRatio` 0.
 *
 * ## Options
 * `numAgents` (3), also the number of landmarks; `localRatio` (0.5); `maxEpisodeSteps` (25).
 *
 * State for `setState`: `{ positions, velocities }`, agents' positions before landmarks'.
 */
import { type AgentsKernelFactory, clearResults, seatResults } from '../src/env/agents/agents-kernel.ts';
import { multiAgentFactory } from '../src/env/agents/kernel-multi-agent-env.ts';
import { checkInteger, checkRange, readEnvOptions } from '../src/env/env-options.ts';
import { openEnvRandom } from '../src/env/env-random.ts';
import { Box, Discrete } from '../src/env/spaces.ts';
import type { ObservationArray } from '../src/env/vector-env.ts';
import { particlePicture } from './particle-picture.ts';
import {
  createParticleWorld,
  NUM_PUSHES,
  type ParticleWorld,
  restoreWorld,
  saveWorld,
  scatter,
  squareDistance,
  stepWorld,
  writeOffset,
} from './particle-world.ts';

const ENV_ID = 'SimpleSpread-v3';
const RADIUS = 0.15;
const LANDMARK_RADIUS = 0.05;

/** N worlds; see the head of this file. */
export const simpleSpreadKernel: AgentsKernelFactory = (numEnvs, given) => {
  const options = readEnvOptions(ENV_ID, given, {
    numAgents: 3,
    localRatio: 0.5,
    maxEpisodeSteps: 25 as number | null,
  });
  const { numAgents, localRatio } = options;
  checkInteger(ENV_ID, 'numAgents', numAgents, 1, 100);
  checkRange(ENV_ID, 'localRatio', localRatio, 0, 1);
  const world = createParticleWorld(numEnvs, numAgents, numAgents, RADIUS);
  const results = seatResults(numAgents);
  const size = 6 * numAgents;
  const overlaps = new Int32Array(numAgents); // of the world that was stepped last
  const write = (n: number, s: number, out: ObservationArray, offset: number) =>
    writeView(world, n, s, out, offset);
  return {
    envId: ENV_ID,
    numEnvs,
    seats: Array.from({ length: numAgents }, (_, s) => ({
      name: `agent_${s}`,
      observationSpace: new Box(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, [size]),
      actionSpace: new Discrete(NUM_PUSHES),
    })),
    results,
    maxEpisodeSteps: options.maxEpisodeSteps,
    reset(n, seed) {
      scatter(world, n, openEnvRandom(seed));
      clearResults(results);
      results.acting.fill(1);
    },
    step(n, actions, offset) {
      stepWorld(world, n, actions, offset);
      clearResults(results);
      const shared = (1 - localRatio) * coverage(world, n);
      countOverlaps(world, n, overlaps);
      for (let s = 0; s < numAgents; s++) {
        results.acting[s] = 1;
        results.rewards[s] = shared + localRatio * -overlaps[s];
      }
    },
    writeObservation: write,
    stateSize: numAgents * size,
    writeState(n, out, offset) {
      for (let s = 0; s < numAgents; s++) write(n, s, out, offset + s * size);
    },
    getState: (n) => saveWorld(world, n),
    setState(n, state) {
      restoreWorld(world, n, state);
      clearResults(results);
      results.acting.fill(1);
    },
    render: (n, mode) => particlePicture(world, n, looksOf(numAgents), mode),
  };
};

/** Minus the sum over landmarks of the distance of the nearest agent. */
function coverage(world: ParticleWorld, n: number): number {
  let sum = 0;
  for (let landmark = world.numMoving; landmark < world.numBodies; landmark++) {
    let nearest = Number.POSITIVE_INFINITY;
    for (let a = 0; a < world.numMoving; a++)
      nearest = Math.min(nearest, squareDistance(world, n, a, landmark));
    sum -= Math.sqrt(nearest);
  }
  return sum;
}

/** How many others each one overlaps with. */
function countOverlaps(world: ParticleWorld, n: number, out: Int32Array): void {
  for (let a = 0; a < world.numMoving; a++) out[a] = 0;
  for (let a = 0; a < world.numMoving; a++)
    for (let b = a + 1; b < world.numMoving; b++) {
      if (Math.sqrt(squareDistance(world, n, a, b)) >= 2 * RADIUS) continue;
      out[a] += 1;
      out[b] += 1;
    }
}

function writeView(world: ParticleWorld, n: number, s: number, out: ObservationArray, offset: number): void {
  const { numMoving, numBodies, positions, velocities } = world;
  const [own, body] = [2 * (n * numMoving + s), 2 * (n * numBodies + s)];
  out[offset] = velocities[own];
  out[offset + 1] = velocities[own + 1];
  out[offset + 2] = positions[body];
  out[offset + 3] = positions[body + 1];
  let next = offset + 4;
  for (let landmark = numMoving; landmark < numBodies; landmark++, next += 2)
    writeOffset(world, n, s, landmark, out, next);
  for (let a = 0; a < numMoving; a++) {
    if (a === s) continue;
    writeOffset(world, n, s, a, out, next);
    next += 2;
  }
  for (; next < offset + 6 * numMoving; next++) out[next] = 0; // a loop: a call of fill() takes longer
}

function looksOf(numAgents: number) {
  return Array.from({ length: 2 * numAgents }, (_, k) =>
    k < numAgents
      ? { color: [90, 90, 215] as const, radius: RADIUS, mark: String(k % 10) }
      : { color: [60, 60, 60] as const, radius: LANDMARK_RADIUS, mark: '*' },
  );
}

/** Options in, one world out. */
export const simpleSpread = multiAgentFactory(simpleSpreadKernel);
