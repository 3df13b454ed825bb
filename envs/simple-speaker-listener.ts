/**
 * SimpleSpeakerListener-v4: one agent knows which of three landmarks is meant and cannot move, the other moves and does not know: it listens. The numbers
 * are those of mpe2's simple_speaker_listener_v4.
 *
 * ## Agents
 * `speaker_0` and `listener_0`, both in every step, with spaces of their own.
 *
 * ## Action Space
 * Speaker: `Discrete(3)`, what is said. Listener: `Discrete(5)`: nothing, left, right, down, up.
 *
 * ## Observation Space
 * Speaker: `Box(3)`, the colour of the landmark that is meant. Listener: `Box(11)`: own velocity (2), where the landmarks are as seen from here (2
 * each), and what was said in the step before (3, one-hot; 0 at first).
 *
 * ## Central State
 * Both observations, the speaker's first.
 *
 * ## Rewards
 * For both, minus the square of the distance between the listener and the landmark that is meant.
 *
 * ## Beginning
 * Listener and landmarks uniform in the square from -1 to 1, at rest; the landmark that is meant is drawn.
 *
 * ## Episode End
 * Truncated after 25 steps. Random play makes about -40 an agent.
 *
 * ## Options
 * `maxEpisodeSteps` (25).
 *
 * State for `setState`: `{ positions, velocities, goal, said }`, the listener's position before the landmarks'; said -1 = nothing yet.
 */
import { type AgentsKernelFactory, clearResults, seatResults } from '../src/env/agents/agents-kernel.ts';
import { multiAgentFactory } from '../src/env/agents/kernel-multi-agent-env.ts';
import { readEnvOptions } from '../src/env/env-options.ts';
import { openEnvRandom } from '../src/env/env-random.ts';
import type { Color } from '../src/env/render/canvas.ts';
import { Box, Discrete } from '../src/env/spaces.ts';
import type { ObservationArray } from '../src/env/vector-env.ts';
import type { JsonObject } from '../src/json.ts';
import { particlePicture } from './particle-picture.ts';
import {
  createParticleWorld,
  NUM_PUSHES,
  restoreWorld,
  saveWorld,
  scatter,
  stepWorld,
  writeOffset,
} from './particle-world.ts';

const ENV_ID = 'SimpleSpeakerListener-v4';
const SPEAKER = 0;
const NUM_LANDMARKS = 3;
const SPEAKER_SIZE = 3;
const LISTENER_SIZE = 2 + 2 * NUM_LANDMARKS + NUM_LANDMARKS;
const COLORS = [
  [0.65, 0.15, 0.15],
  [0.15, 0.65, 0.15],
  [0.15, 0.15, 0.65],
];
const LISTENER_RADIUS = 0.075;
const LANDMARK_RADIUS = 0.04;
/** What the listener is painted paler by than the landmark it is meant to go to. */
const PALER = 0.3;

/** N worlds; see the head of this file. */
export const simpleSpeakerListenerKernel: AgentsKernelFactory = (numEnvs, given) => {
  const options = readEnvOptions(ENV_ID, given, { maxEpisodeSteps: 25 as number | null });
  const world = createParticleWorld(numEnvs, 1, NUM_LANDMARKS, 0);
  const goals = new Uint8Array(numEnvs); // [N] u8
  const said = new Int8Array(numEnvs); // [N] i8, -1 = nothing yet
  const results = seatResults(2);
  const write = (n: number, s: number, out: ObservationArray, offset: number) => {
    if (s === SPEAKER) {
      for (let k = 0; k < SPEAKER_SIZE; k++) out[offset + k] = COLORS[goals[n]][k];
      return;
    }
    out[offset] = world.velocities[2 * n];
    out[offset + 1] = world.velocities[2 * n + 1];
    for (let k = 0; k < NUM_LANDMARKS; k++) {
      writeOffset(world, n, 0, 1 + k, out, offset + 2 + 2 * k);
      out[offset + 2 + 2 * NUM_LANDMARKS + k] = said[n] === k ? 1 : 0;
    }
  };
  const everybodyActs = () => {
    clearResults(results);
    results.acting.fill(1);
  };
  const box = (size: number) => new Box(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, [size]);
  return {
    envId: ENV_ID,
    numEnvs,
    seats: [
      { name: 'speaker_0', observationSpace: box(SPEAKER_SIZE), actionSpace: new Discrete(NUM_LANDMARKS) },
      { name: 'listener_0', observationSpace: box(LISTENER_SIZE), actionSpace: new Discrete(NUM_PUSHES) },
    ],
    results,
    maxEpisodeSteps: options.maxEpisodeSteps,
    reset(n, seed) {
      const random = openEnvRandom(seed);
      goals[n] = random.integer(NUM_LANDMARKS);
      said[n] = -1;
      scatter(world, n, random);
      everybodyActs();
    },
    step(n, actions, offset) {
      said[n] = actions[offset];
      stepWorld(world, n, actions, offset + 1);
      everybodyActs();
      const [x, y] = [2 * n * world.numBodies, 2 * (n * world.numBodies + 1 + goals[n])];
      const dx = world.positions[x] - world.positions[y];
      const dy = world.positions[x + 1] - world.positions[y + 1];
      results.rewards.fill(-(dx * dx + dy * dy));
    },
    writeObservation: write,
    stateSize: SPEAKER_SIZE + LISTENER_SIZE,
    writeState(n, out, offset) {
      write(n, 0, out, offset);
      write(n, 1, out, offset + SPEAKER_SIZE);
    },
    getState: (n) => ({ ...saveWorld(world, n), goal: goals[n], said: said[n] }),
    setState(n, state) {
      restoreWorld(world, n, state);
      const { goal, said: word } = state as JsonObject;
      goals[n] = goal as number;
      said[n] = word as number;
      everybodyActs();
    },
    render: (n, mode) => particlePicture(world, n, looksOf(goals[n]), mode),
  };
};

function looksOf(goal: number) {
  const paint = (color: readonly number[], paler: number) =>
    color.map((part) => Math.round(255 * Math.min(1, part + paler))) as unknown as Color;
  return [
    { color: paint(COLORS[goal], PALER), radius: LISTENER_RADIUS, mark: 'L' },
    ...COLORS.map((color, k) => ({
      color: paint(color, 0),
      radius: LANDMARK_RADIUS,
      mark: k === goal ? '#' : '*',
    })),
  ];
}

/** Options in, one world out. */
export const simpleSpeakerListener = multiAgentFactory(simpleSpeakerListenerKernel);
