/** Environments that are a table of transitions: states and actions are integers (FrozenLake, CliffWalking, Taxi). */
import { type EnvKernel, stepResults } from '../src/env/env-kernel.ts';
import type { EnvRandom } from '../src/env/env-random.ts';
import { Discrete } from '../src/env/spaces.ts';
import type { JsonObject, JsonValue } from '../src/json.ts';

export interface Outcome {
  readonly probability: number;
  readonly state: number;
  readonly reward: number;
  readonly terminated: boolean;
}

export interface TabularTask {
  readonly envId: string;
  readonly numStates: number;
  readonly numActions: number;
  /** What can follow action `action` in state `state`; probabilities sum to 1. */
  outcomes(state: number, action: number): readonly Outcome[];
  /** Probability of each state at the start. */
  readonly startProbabilities: readonly number[];
  readonly maxEpisodeSteps: number | null;
  readonly openRandom: (seed: number) => EnvRandom;
}

/** A kernel with the numbers of its states within reach, for environments that add to it. */
export interface TabularKernel extends EnvKernel {
  readonly states: Int32Array; // [numEnvs] i32
  readonly randoms: (EnvRandom | null)[]; // [numEnvs]
}

interface Row {
  /** Cumulative probabilities of the outcomes. */
  readonly cumulative: Float64Array; // [outcomes] f64
  readonly outcomes: readonly Outcome[];
}

/**
 * N copies of a tabular task. One uniform is drawn for the start and one for every step, also where there is only one
 * outcome, as Gymnasium's `categorical_sample` does: so seeded episodes are alike draw for draw.
 */
export function tabularKernel(task: TabularTask, numEnvs: number): TabularKernel {
  const { numStates, numActions } = task;
  const rows = Array.from({ length: numStates * numActions }, (_, i) =>
    rowOf(task.outcomes(Math.floor(i / numActions), i % numActions)),
  );
  const start = cumulativeOf(task.startProbabilities);
  const states = new Int32Array(numEnvs);
  const randoms = new Array<EnvRandom | null>(numEnvs).fill(null);
  const results = stepResults(numEnvs);
  const draw = (n: number) => (randoms[n] as EnvRandom).random();

  return {
    envId: task.envId,
    numEnvs,
    observationSpace: new Discrete(numStates),
    actionSpace: new Discrete(numActions),
    maxEpisodeSteps: task.maxEpisodeSteps,
    masksActions: false,
    ...results,
    states,
    randoms,
    reset(n, seed) {
      randoms[n] = task.openRandom(seed);
      states[n] = firstAbove(start, draw(n));
    },
    step(n, actions, offset) {
      const { cumulative, outcomes } = rows[states[n] * numActions + actions[offset]];
      const outcome = outcomes[firstAbove(cumulative, draw(n))];
      states[n] = outcome.state;
      results.rewards[n] = outcome.reward;
      results.terminated[n] = outcome.terminated ? 1 : 0;
    },
    writeObservation(n, out, offset) {
      out.fill(0, offset, offset + numStates);
      out[offset + states[n]] = 1;
    },
    getState: (n) => ({ state: states[n], random: randoms[n]?.getState() ?? null }),
    setState(n, saved) {
      const { state, random } = saved as JsonObject;
      states[n] = state as number;
      randoms[n] ??= task.openRandom(0);
      if (random) randoms[n]?.setState(random as JsonValue);
    },
  };
}

/** The mean return of the best policy, by value iteration; for tests and for the docs' optimum. */
export function optimalReturn(task: TabularTask, numSteps: number): number {
  let values = new Float64Array(task.numStates);
  for (let k = 0; k < numSteps; k++) {
    values = Float64Array.from(values, (_, state) => {
      let best = -Infinity;
      for (let action = 0; action < task.numActions; action++) {
        let value = 0;
        for (const outcome of task.outcomes(state, action)) {
          const next = outcome.terminated ? 0 : values[outcome.state];
          value += outcome.probability * (outcome.reward + next);
        }
        best = Math.max(best, value);
      }
      return best;
    });
  }
  return task.startProbabilities.reduce((sum, probability, state) => sum + probability * values[state], 0);
}

function rowOf(outcomes: readonly Outcome[]): Row {
  return { outcomes, cumulative: cumulativeOf(outcomes.map(({ probability }) => probability)) };
}

function cumulativeOf(probabilities: readonly number[]): Float64Array {
  let sum = 0;
  return Float64Array.from(probabilities, (probability) => {
    sum += probability;
    return sum;
  });
}

/** Index of the first element above x; 0 when rounding left none. */
function firstAbove(cumulative: Float64Array, x: number): number {
  for (let k = 0; k < cumulative.length; k++) if (cumulative[k] > x) return k;
  return 0;
}
