/**
 * CartPoles-v0: several cart-poles beside each other, each with an agent of its own: CartPole-v1 as a task for many.
 *
 * ## Agents
 * `pole_0`, `pole_1`, ..., all in every step while their pole stands.
 *
 * ## Spaces, Rewards
 * Those of CartPole-v1, for each of them.
 *
 * ## Episode End
 * An agent is terminated when its pole falls, and truncated after 500 steps; the episode ends with the last of them. With `respawn`, an agent
 * whose pole fell begins with a new one at once, and the episode is truncated after `maxEpisodeSteps`.
 *
 * ## Options
 * `numPoles` (4), `respawn` (false), `maxEpisodeSteps` (null; 500 with `respawn`).
 *
 * State for `setState`: `{ poles, elapsed, standing, falls, seed }`.
 */
import {
  AgentEnd,
  type AgentsKernelFactory,
  clearResults,
  type SeatResults,
  seatResults,
} from '../src/env/agents/agents-kernel.ts';
import { multiAgentFactory } from '../src/env/agents/kernel-multi-agent-env.ts';
import type { EnvKernel } from '../src/env/env-kernel.ts';
import { checkInteger, readEnvOptions } from '../src/env/env-options.ts';
import type { JsonObject, JsonValue } from '../src/json.ts';
import { episodeSeed } from '../src/random/streams.ts';
import { cartPoleKernel } from './cart-pole.ts';

const ENV_ID = 'CartPoles-v0';
const POLE_LIMIT = 500;
const OBSERVATION_SIZE = 4;

interface Poles {
  readonly poles: EnvKernel; // numEnvs * S of them
  readonly numSeats: number; // S
  readonly respawn: boolean;
  readonly elapsed: Int32Array; // [numEnvs, S] i32
  readonly standing: Uint8Array; // [numEnvs, S] u8
  readonly falls: Int32Array; // [numEnvs, S] i32, lives that ended in this episode
  readonly seeds: Uint32Array; // [numEnvs] u32
  readonly last: Float32Array; // [S, 4] f32, of poles that ended in the last step
  readonly results: SeatResults;
}

/** N groups of poles; see the head of this file. */
export const cartPolesKernel: AgentsKernelFactory = (numEnvs, given) => {
  const options = readEnvOptions(ENV_ID, given, {
    numPoles: 4,
    respawn: false,
    maxEpisodeSteps: null as number | null,
  });
  const { numPoles: S, respawn } = options;
  checkInteger(ENV_ID, 'numPoles', S, 1, 10_000);
  const poles = cartPoleKernel(numEnvs * S);
  const results = seatResults(S);
  const group: Poles = {
    poles,
    numSeats: S,
    respawn,
    elapsed: new Int32Array(numEnvs * S),
    standing: new Uint8Array(numEnvs * S),
    falls: new Int32Array(numEnvs * S),
    seeds: new Uint32Array(numEnvs),
    last: new Float32Array(S * OBSERVATION_SIZE),
    results,
  };
  const { observationSpace, actionSpace } = poles;
  return {
    envId: ENV_ID,
    numEnvs,
    seats: Array.from({ length: S }, (_, s) => ({ name: `pole_${s}`, observationSpace, actionSpace })),
    results,
    maxEpisodeSteps: options.maxEpisodeSteps ?? (respawn ? POLE_LIMIT : null),
    reset(n, seed) {
      group.seeds[n] = seed;
      clearResults(results);
      results.acting.fill(1);
      group.falls.fill(0, n * S, (n + 1) * S);
      for (let s = 0; s < S; s++) begin(group, n, s);
    },
    step(n, actions, offset) {
      clearResults(results);
      for (let s = 0; s < S; s++) if (group.standing[n * S + s] === 1) stepPole(group, n, s, actions, offset);
    },
    writeObservation: (n, s, out, offset) => poles.writeObservation(n * S + s, out, offset),
    writeFinalObservation(n, s, out, offset) {
      if (results.ended[s] === AgentEnd.NONE) poles.writeObservation(n * S + s, out, offset);
      else for (let k = 0; k < OBSERVATION_SIZE; k++) out[offset + k] = group.last[s * OBSERVATION_SIZE + k];
    },
    getState: (n) => saveGroup(group, n),
    setState: (n, state) => restoreGroup(group, n, state as JsonObject),
    render: (n, mode) => poles.render?.(n * S, mode) ?? '',
  };
};

function begin({ poles, numSeats, seeds, falls, elapsed, standing }: Poles, n: number, s: number): void {
  const pole = n * numSeats + s;
  poles.reset(pole, episodeSeed(seeds[n], s, falls[pole]));
  elapsed[pole] = 0;
  standing[pole] = 1;
}

function stepPole(group: Poles, n: number, s: number, actions: Float32Array, offset: number): void {
  const { poles, results, elapsed } = group;
  const pole = n * group.numSeats + s;
  poles.step(pole, actions, offset + s);
  elapsed[pole] += 1;
  results.rewards[s] = poles.rewards[pole];
  if (poles.terminated[pole] === 1) results.ended[s] = AgentEnd.TERMINATED;
  else if (elapsed[pole] >= POLE_LIMIT) results.ended[s] = AgentEnd.TRUNCATED;
  const hasEnded = results.ended[s] !== AgentEnd.NONE;
  results.acting[s] = !hasEnded || group.respawn ? 1 : 0;
  if (!hasEnded) return;
  poles.writeObservation(pole, group.last, s * OBSERVATION_SIZE);
  group.standing[pole] = 0;
  group.falls[pole] += 1;
  if (group.respawn) begin(group, n, s);
}

function saveGroup({ poles, numSeats, elapsed, standing, falls, seeds }: Poles, n: number): JsonValue {
  const own = <T>(of: (pole: number) => T) =>
    Array.from({ length: numSeats }, (_, s) => of(n * numSeats + s));
  return {
    poles: own((pole) => poles.getState?.(pole) as JsonValue),
    elapsed: own((pole) => elapsed[pole]),
    standing: own((pole) => standing[pole]),
    falls: own((pole) => falls[pole]),
    seed: seeds[n],
  };
}

function restoreGroup(group: Poles, n: number, saved: JsonObject): void {
  const { poles, numSeats: S, standing, results } = group;
  for (const [s, pole] of (saved.poles as JsonValue[]).entries()) poles.setState?.(n * S + s, pole);
  group.elapsed.set(saved.elapsed as number[], n * S);
  standing.set(saved.standing as number[], n * S);
  group.falls.set(saved.falls as number[], n * S);
  group.seeds[n] = saved.seed as number;
  clearResults(results);
  results.acting.set(standing.subarray(n * S, (n + 1) * S));
}

/** Options in, one group of poles out. */
export const cartPoles = multiAgentFactory(cartPolesKernel);
